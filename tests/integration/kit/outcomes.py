"""What each part of the kit promises in each fault of Redis; its pages in docs/ say the same."""

from collections.abc import Callable
from typing import Any

from opsctl.errors import OpsctlError

AWAY, LOCKED = "UnreachableError", "SettingsError"
FAILED, REFUSED, LIMITED = "OpsctlError", "RefusedError", "LimitedError"
ENTRY, SESSION = {"q": "1"}, {"user": 7}

# Who is away is asked once; a wrong password is told once, and from then on Redis is away.
COLUMNS = {
    "slow": 0,
    **dict.fromkeys(("killed", "hung", "too slow"), 1),
    "wrong password": 2,
    **dict.fromkeys(("wiped", "restarted"), 3),
    "full": 4,
    "replica": 5,
    "no rights": 6,
}
TABLE: dict[str, dict[str, tuple[Any, ...]]] = {
    # part: deed: well (slow), away, wrong password, emptied, full, replica, no rights
    "client": {
        "reads": (b"1", AWAY, LOCKED, None, b"1", b"1", FAILED),
        "writes": (b"OK", AWAY, AWAY, b"OK", FAILED, REFUSED, FAILED),
        "pipelines": (2, AWAY, AWAY, 2, 2, 2, 2),
    },
    "closed limiter": {
        "allows": (True, False, False, False, False, False, False),
        "waits": (True, *[LIMITED] * 6),
    },
    # Redis may have granted a whole limit just before: shares begin a window later.
    "local limiter": {
        "allows": (True, False, False, False, False, False, False),
        "waits": (True, *[LIMITED] * 6),
    },
    "open limiter": {
        "allows": (True, True, True, False, True, True, True),
        "waits": (True, True, True, LIMITED, True, True, True),
    },
    "limited http": {"asks": (200, LIMITED, LIMITED, 200, LIMITED, LIMITED, LIMITED)},
    "cache": {
        "computes": (7, 7, 7, 7, 7, 7, 7),
        "reads": (1, None, None, None, 1, 1, None),
        "writes": (True, False, False, True, False, False, False),
        "counts": (True, True, True, True, True, True, True),
        "removes": (0, 0, 0, 0, 0, 0, 0),
    },
    # What is in memory is served by memory; a wiped server tells nobody that it was.
    "layered cache": {
        "computes": (7, 7, 7, 7, 7, 7, 7),
        "writes": (True, False, False, True, False, False, False),
        "counts": (True, True, True, True, True, True, True),
        "removes": (0, 0, 0, 0, 0, 0, 0),
    },
    "hashes": {
        "reads": (ENTRY, None, None, None, ENTRY, ENTRY, None),
        "writes": (True, False, False, True, False, False, False),
        "removes": (0, 0, 0, 0, 0, 0, 0),
        "is well": (True, False, False, True, True, True, True),
    },
    "sessions": {
        # Reading one that slides prolongs it, and is a write.
        "reads": (SESSION, AWAY, LOCKED, None, SESSION, REFUSED, FAILED),
        "creates": (True, AWAY, AWAY, True, FAILED, REFUSED, FAILED),
        "rotates": (None, AWAY, AWAY, None, None, None, FAILED),
        "ends": (False, AWAY, AWAY, False, False, REFUSED, FAILED),
    },
    "queue": {
        "takes": ([1], AWAY, LOCKED, [], [1], REFUSED, FAILED),
        "puts": (True, AWAY, AWAY, True, FAILED, REFUSED, FAILED),
        "says how long": (True, AWAY, AWAY, True, True, True, FAILED),
    },
}


def outcome(deed: Callable[[], Any]) -> Any:
    try:
        return deed()
    except OpsctlError as error:
        return type(error).__name__
