"""Section `redis`: the stack's Redis."""

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, setting


class RedisSettings(Section):
    """The stack's Redis: Pub/Sub between collector and archiver, cache, limits."""

    enabled: bool = setting(
        True,
        "Whether the stack has a Redis; false turns every use of it off.",
        env=("REDIS_ENABLED",),
    )
    url: Secret = setting(
        Secret(""),
        "redis://user:password@host:6379/0, rediss:// for TLS; in place of host, port, user,"
        " password and db.",
        env=("REDIS_URL",),
    )
    host: str = setting("localhost", "Host name or address.", env=("REDIS_HOST",), min_length=1)
    port: int = setting(6379, "Port.", env=("REDIS_PORT",), ge=1, le=65535)
    username: str = setting(
        "", "User, where the server has more than one.", env=("REDIS_USERNAME",)
    )
    password: Secret = setting(Secret(""), "Password; keep it in .env.", env=("REDIS_PASSWORD",))
    db: int = setting(0, "Database index of the stack.", env=("REDIS_DB",), ge=0, le=9999)
    timeout_s: float = setting(1.0, "Longest wait for a connection or one answer.", gt=0, le=60)
    tls: bool = setting(False, "Speak TLS; the certificate is always verified.", env=("REDIS_TLS",))
    ca_file: str = setting(
        "", "Authority to trust besides the machine's own list.", env=("REDIS_CA_FILE",)
    )
    connections: int = setting(16, "Most connections of one service.", ge=1, le=1000)
