"""Where a Redis is: one index of one server, and how long it may take to answer."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from redis import connection

from opsctl.errors import SettingsError

Word = str | bytes | int | float
Command = Sequence[Word]

# redis-py ships this without types.
_parse_url: Any = connection.parse_url


@dataclass(frozen=True, slots=True)
class RedisLimits:
    answer_s: float = 2.0
    """For one command as a whole: connecting, TLS and password included."""
    connections: int = 4


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """One index of one server."""

    host: str = "127.0.0.1"
    port: int = 6379
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    """Who to trust besides the machine's own list, for a server with a private certificate."""
    socket_path: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read redis://, rediss:// or unix://; an invalid URL is not shown."""
        try:
            found: Mapping[str, Any] = _parse_url(url)
        except ValueError:
            raise SettingsError(
                "cannot read the address of Redis",
                why="it is not a Redis URL",
                hint="Write redis://user:password@host:6379/0, special characters as %40.",
            ) from None
        return cls(
            host=found.get("host", "127.0.0.1"),
            port=found.get("port", 6379),
            db=found.get("db", 0),
            username=found.get("username", ""),
            password=found.get("password", ""),
            tls=url.lower().startswith("rediss:"),
            ca_file=found.get("ssl_ca_certs", ""),
            socket_path=found.get("path", ""),
        )

    def replaced(self, **changes: Any) -> Self:  # noqa: ANN401 - each field has its type
        return replace(self, **changes)

    @property
    def address(self) -> str:
        """Say host:port/index; never the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.socket_path or f'{host}:{self.port}'}/{self.db}"


@dataclass(frozen=True, slots=True)
class RedisScript:
    """A program for the server, known to it by its digest."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)
