"""Section `redis`: the stack's Redis."""

from pydantic import SecretStr

from opsctl.settings.section import Section, setting


class Redis(Section):
    """The stack's Redis: Pub/Sub between collector and archiver, cache, limits."""

    enabled: bool = setting(
        True,
        "Whether the stack has a Redis; false turns every use of it off.",
        env=("REDIS_ENABLED",),
    )
    host: str = setting("localhost", "Host name or address.", env=("REDIS_HOST",), min_length=1)
    port: int = setting(6379, "Port.", env=("REDIS_PORT",), ge=1, le=65535)
    password: SecretStr = setting(
        SecretStr(""), "Password; keep it in .env.", env=("REDIS_PASSWORD",)
    )
    db: int = setting(0, "Database index of the stack.", env=("REDIS_DB",), ge=0, le=9999)
    timeout_s: float = setting(1.0, "Longest wait for a connection or one answer.", gt=0, le=60)
