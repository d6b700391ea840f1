"""Finds the public addresses that a text names."""

import re
from collections.abc import Iterable, Iterator

from opsctl.addresses import is_public

# Not in a version such as v1.2.3.4 or Chrome/1.2.3.4, nor in a longer row of numbers.
FOUR = re.compile(r"(?<![\w.\-/=^~v])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)")
AT_FOUR = re.compile(r"(?<=[@/=])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)")
_SOME_FOUR = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
_SOME_SIX = re.compile(r":[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}")
_VERSION = re.compile(r"\b(?:version|release|firmware|build)\W{0,3}$", re.IGNORECASE)
SIX = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4})?(?::)?(?![\w:])")


def public_addresses(text: str, known: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Find the addresses of machines out in the world, those in URLs too, and where they stand."""
    for pattern in _patterns(text):
        for match in pattern.finditer(text):
            if match[0] not in known and is_public(match[0]):
                line = text.rfind("\n", 0, match.start()) + 1
                if not _VERSION.search(text, max(line, match.start() - 20), match.start()):
                    yield match[0], match.start()


def _patterns(text: str) -> Iterator[re.Pattern[str]]:
    if _SOME_FOUR.search(text):
        yield FOUR
        if "@" in text or "/" in text:
            yield AT_FOUR
    if _SOME_SIX.search(text):
        yield SIX
