"""Lists the patterns that somebody may subscribe to; each one is then proven or refuted."""

import re
from collections.abc import Iterable, Iterator

from opsctl.health_rules.measurements import ClientConnection

MAX_CANDIDATES = 400
_NAMED_PATTERNS = re.compile(r"(?:^|:)(p?sub=.*)")
_OBSERVER_STARS = "*****"
_OBSERVER_PATTERN = re.compile(r"\[[^\]]\]")
_SEPARATORS = ".:_-/"


def list_candidates(
    patterns: Iterable[str], channels: Iterable[str], clients: Iterable[ClientConnection]
) -> tuple[str, ...]:
    """List what settings name, what clients say of themselves, and what would match the channels.

    Patterns that match no expected channel are only there to explain the count.
    """
    named = (*patterns, *(name for client in clients for name in patterns_in_name(client.name)))
    channels = tuple(channels)
    ours = (as_observer_pattern(name) for name in (*named, *channels))
    guessed = (guess for channel in channels for guess in _guess_patterns(channel))
    return tuple(dict.fromkeys((*named, *ours, *guessed)))[:MAX_CANDIDATES]


def as_observer_pattern(pattern: str) -> str:
    """Write a pattern as `opsctl debug` subscribes to it: the same to match, another to count.

    So one who only watches is never taken for one who does the work.
    """
    first, rest = pattern[:1], pattern[1:]
    if first == "*":
        return _OBSERVER_STARS + rest.lstrip("*")
    return pattern if first in ("", "?", "[", "\\", "]", "^") else f"[{first}]{rest}"


def is_observer_pattern(pattern: str) -> bool:
    return pattern.startswith(_OBSERVER_STARS) or bool(_OBSERVER_PATTERN.match(pattern))


def patterns_in_name(name: str) -> tuple[str, ...]:
    """Read `opsctl:archiver:sub=x,psub=ticker.*,psub=y`, as the kit names its subscribers."""
    found = _NAMED_PATTERNS.search(name)
    patterns: list[str] = []
    kind = ""
    for word in found[1].split(",") if found else ():
        prefix = next((each for each in ("psub=", "sub=") if word.startswith(each)), "")
        kind = prefix or kind
        if kind == "psub=":
            patterns.append(word.removeprefix(prefix))
    return tuple(filter(None, patterns))


def _guess_patterns(channel: str) -> Iterator[str]:
    yield from (channel, "*", "**", "?*", "*?")
    for cut in range(1, len(channel) + 1):
        yield channel[:cut] + "*"
        yield channel[:cut] + "?" * (len(channel) - cut)
        yield "*" + channel[-cut:]
    for at, letter in enumerate(channel):
        if letter in _SEPARATORS:
            before, after = channel[:at], channel[at + 1 :]
            yield from (f"*{letter}*", f"{before}?{after}", f"{before}?*", f"*{letter}{after}")
            yield from (f"{before}{letter}?*", f"*{before}{letter}*", f"{before}*{after}")
