"""Reads from the name of an image what it is."""

import re
from collections.abc import Iterable

# What these add to a database's name makes a tool for it, or an application.
_TOOLS = frozenset(
    "admin adapter api app backend backup backups bouncer cli client commander console dashboard"  # noqa: SIM905 - words
    " exporter express frontend init insight metrics migrate migrations operator proxy relay"
    " restore ui web worker".split()
)
# postgresql, timescaledb, mysqld, influxdb2 ... but not postgrest or redisinsight.
_ENDING = re.compile(r"(db|ql|sql|d|ml)?\d*")
SERVER = "server"


def is_named_after(image: str, words: Iterable[str]) -> bool:
    """Whether the image is one of these: `timescaledb-ha` for `timescale`, no `redis-exporter`."""
    parts = _name_parts(image)
    if _TOOLS.intersection(parts):
        return False
    return any(_matches(part, word.casefold()) for part in parts for word in words)


def is_named_as_tool(image: str) -> bool:
    return bool(_TOOLS.intersection(_name_parts(image)))


def _name_parts(image: str) -> list[str]:
    path = image.partition("@")[0].casefold().split("/")
    name = path[-1].partition(":")[0]
    if name == SERVER and len(path) > 1:
        # mssql/server
        name = path[-2]
    return re.split(r"[-_.]", name)


def _matches(part: str, word: str) -> bool:
    return part.startswith(word) and bool(_ENDING.fullmatch(part.removeprefix(word)))
