"""Which addresses are ours alone: loopback, the tailnet; and which are the world's."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

EVERYWHERE = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - what is looked for
TAILNET = (ipaddress.ip_network("100.64.0.0/10"), ipaddress.ip_network("fd7a:115c:a1e0::/48"))
DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)

# Not in a version such as v1.2.3.4 or Chrome/1.2.3.4, nor in a longer row of numbers.
FOUR = re.compile(r"(?<![\w.\-/=^~v])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)")
AT_FOUR = re.compile(r"(?<=[@/=])(?:\d{1,3}\.){3}\d{1,3}(?![\w\-]|\.\d)")
_SOME_FOUR = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
_SOME_SIX = re.compile(r":[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}")
_VERSION = re.compile(r"\b(?:version|release|firmware|build)\W{0,3}$", re.IGNORECASE)
SIX = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4})?(?::)?(?![\w:])")


def parse(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """Read ::ffff:192.0.2.1 as what it stands for."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_loopback(text: str) -> bool:
    found = parse(text)
    return text.casefold() == "localhost" or (found is not None and plain(found).is_loopback)


def is_tailnet(text: str) -> bool:
    found = parse(text)
    return found is not None and any(plain(found) in net for net in TAILNET)


def is_documentation(text: str) -> bool:
    found = parse(text)
    return found is not None and any(plain(found) in net for net in DOCUMENTATION)


@cache
def is_public(text: str) -> bool:
    found = parse(text)
    return found is not None and plain(found).is_global and not plain(found).is_multicast


def is_inside(text: str) -> bool:
    """Say whether what listens at this address is heard on loopback or the tailnet alone."""
    return text not in EVERYWHERE and (is_loopback(text) or is_tailnet(text))


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
