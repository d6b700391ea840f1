"""From the settings to the address of the stack's Redis."""

from opsctl.settings.sections.redis import RedisSettings
from opsctl.systems.redis.target import RedisTarget


def target_of(redis: RedisSettings) -> RedisTarget:
    """Read where the stack's Redis is; its URL, where one is set, speaks for all of it."""
    if url := redis.url.get_secret_value():
        target = RedisTarget.parse(url)
        return target.replaced(ca_file=target.ca_file or redis.ca_file)
    return RedisTarget(
        redis.host,
        redis.port,
        redis.db,
        username=redis.username,
        password=redis.password.get_secret_value(),
        tls=redis.tls,
        ca_file=redis.ca_file,
    )
