"""What each part of the kit does in each fault of Redis, as docs/kit.md and kit-cache.md say."""

from collections.abc import Callable
from typing import Any

from opsctl.errors import OpsctlError

UNAVAILABLE, REFUSED_LOGIN = "UnreachableError", "SettingsError"
FAILED, REFUSED, LIMITED = "OpsctlError", "RefusedError", "LimitedError"
ENTRY, SESSION = {"q": "1"}, {"user": 7}

# The first call finds out; a wrong password is reported once, then Redis counts as unavailable.
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
    # part: operation: healthy (slow), unavailable, wrong password, empty, full, replica, no rights
    "client": {
        "reads": (b"1", UNAVAILABLE, REFUSED_LOGIN, None, b"1", b"1", FAILED),
        "writes": (b"OK", UNAVAILABLE, UNAVAILABLE, b"OK", FAILED, REFUSED, FAILED),
        "pipelines": (2, UNAVAILABLE, UNAVAILABLE, 2, 2, 2, 2),
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
    # What is in memory is served from there; a wiped server does not report that.
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
        "is healthy": (True, False, False, True, True, True, True),
    },
    "sessions": {
        # Reading a sliding session prolongs it, and is a write.
        "reads": (SESSION, UNAVAILABLE, REFUSED_LOGIN, None, SESSION, REFUSED, FAILED),
        "creates": (True, UNAVAILABLE, UNAVAILABLE, True, FAILED, REFUSED, FAILED),
        "rotates": (None, UNAVAILABLE, UNAVAILABLE, None, None, None, FAILED),
        "ends": (False, UNAVAILABLE, UNAVAILABLE, False, False, REFUSED, FAILED),
    },
    "queue": {
        "reserves": ([1], UNAVAILABLE, REFUSED_LOGIN, [], [1], REFUSED, FAILED),
        "enqueues": (True, UNAVAILABLE, UNAVAILABLE, True, FAILED, REFUSED, FAILED),
        "reads depth": (True, UNAVAILABLE, UNAVAILABLE, True, True, True, FAILED),
    },
}


def outcome(operation: Callable[[], Any]) -> Any:
    try:
        return operation()
    except OpsctlError as error:
        return type(error).__name__
