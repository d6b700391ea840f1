"""The temporary servers that a test can use, and their addresses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opsctl.settings.sections.sandbox import Sandbox

# Every image knows this number, and it owns nothing.
NOBODY = "65534:65534"
DATABASE = "test"
USER = "postgres"
_DATA = "/var/lib/postgresql/data"
# Durable nothing, small everything: it lives in memory, under the cap, for minutes.
_SMALL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB",
          "max_wal_size=64MB", "min_wal_size=32MB", "max_connections=50", "jit=off")  # fmt: skip

# Its network is private, and its clients are not on loopback.
_VOLATILE = ("--save", "", "--appendonly", "no", "--maxmemory", "256mb", "--protected-mode", "no")


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    command: tuple[str, ...]
    ready: tuple[str, ...]
    """Exits with 0 once it can be used."""
    writable: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def image(self, rules: Sandbox) -> str:
        named = {
            "postgres": rules.postgres_image,
            "timescale": rules.timescale_image,
            "redis": rules.redis_image,
        }
        return named[self.name]


def _postgres(name: str) -> Service:
    return Service(
        name=name,
        command=(USER, *(word for setting in _SMALL for word in ("-c", setting))),
        # By TCP: the first start, which prepares it, listens on its socket alone.
        ready=("pg_isready", "-q", "-h", "127.0.0.1", "-U", USER, "-d", DATABASE),
        writable=("/tmp", "/var/run/postgresql", _DATA),  # noqa: S108 - of the container
        environment={
            "POSTGRES_DB": DATABASE,
            "PGDATA": f"{_DATA}/db",
            "POSTGRES_INITDB_ARGS": "--wal-segsize=1 --no-sync",
            "TIMESCALEDB_TELEMETRY": "off",
            "NO_TS_TUNE": "true",
        },
    )


SERVICES: Mapping[str, Service] = {
    "postgres": _postgres("postgres"),
    "timescale": _postgres("timescale"),
    "redis": Service(
        name="redis",
        command=("redis-server", *_VOLATILE),
        ready=("redis-cli", "ping"),
        writable=("/tmp", "/data"),  # noqa: S108 - of the container
    ),
}


def password_variables(service: str, password: str) -> Mapping[str, str]:
    """Say the secret to the server; a Redis alone in its network has none."""
    return {} if service == "redis" else {"POSTGRES_PASSWORD": password}


def addresses(services: Iterable[str], password: str) -> dict[str, str]:
    """Say to the test where its servers are, in the variables that the stack itself reads."""
    found: dict[str, str] = {}
    for name in services:
        if name == "redis":
            found |= {"REDIS_HOST": name, "REDIS_PORT": "6379", "REDIS_DB": "0"}
            found |= {"REDIS_PASSWORD": "", "REDIS_URL": f"redis://{name}:6379/0"}
        else:
            url = f"postgresql://{USER}:{password}@{name}:5432/{DATABASE}"
            found |= {f"{name.upper()}_URL": url, "DATABASE_URL": url}
    return found
