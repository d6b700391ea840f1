"""IP addresses: which are loopback, the tailnet's, documentation's, or public on the internet."""

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Address: TypeAlias = IPv4Address | IPv6Address
    Network: TypeAlias = IPv4Network | IPv6Network

# How a listener or a published port writes "on every address".
EVERYWHERE = frozenset({"", "0.0.0.0", "::", "[::]", "*"})  # noqa: S104 - what is looked for
LOCALHOST = frozenset({"localhost", "localhost."})
TAILNET = ("100.64.0.0/10", "fd7a:115c:a1e0::/48")
DOCUMENTATION = (
    *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
    *("2001:db8::/32", "3fff::/20"),
)
# Public by the registry, but their last bits may lead to a private host: 6to4, NAT64, Teredo.
TUNNELS = ("2002::/16", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "192.88.99.0/24")


def parse_address(text: str) -> "Address | None":
    """Read an address, with brackets or a zone too; ::ffff:192.0.2.1 is the IPv4 address in it."""
    from ipaddress import IPv6Address, ip_address  # noqa: PLC0415 - few commands need it

    bare, percent, zone = re.sub(r"^\[(.*)\]$", r"\1", text).partition("%")
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    if percent and not (zone and isinstance(address, IPv6Address)):
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_networks(texts: Iterable[str]) -> "tuple[Network, ...]":
    """Read networks and single addresses; raise ValueError naming the one that is neither."""
    from ipaddress import ip_network  # noqa: PLC0415 - few commands need it

    return tuple(ip_network(text, strict=False) for text in texts)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine by its very name or address."""
    address = parse_address(host)
    return host.casefold() in LOCALHOST or (address is not None and address.is_loopback)


def is_tailnet(text: str) -> bool:
    """Say whether it is in the tailnet's range, which carriers use for NAT as well."""
    return _is_in(text, TAILNET)


def is_documentation(text: str) -> bool:
    return _is_in(text, DOCUMENTATION)


@cache
def is_public(text: str) -> bool:
    """Say whether anyone on the internet could have it or reach it, tunnels included."""
    address = parse_address(text)
    return address is not None and address.is_global and not address.is_multicast


def is_safe_destination(text: str) -> bool:
    """Say whether what is sent there can only go to the internet, and never to a private host."""
    address = parse_address(text)
    if address is None or not is_public(text) or _is_in(text, TUNNELS):
        return False
    return not (address.is_reserved or getattr(address, "is_site_local", False))


def _is_in(text: str, networks: tuple[str, ...]) -> bool:
    address = parse_address(text)
    return address is not None and any(address in network for network in _networks(networks))


@cache
def _networks(texts: tuple[str, ...]) -> "tuple[Network, ...]":
    return parse_networks(texts)
