"""Where a request may go: public addresses over TLS, and what is allowed beside them."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from opsctl.errors import RefusedError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Public by the letter, but their last bits may lead anywhere inside: 6to4, NAT64, Teredo.
TUNNELS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in ("2002::/16", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "192.88.99.0/24")
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a request may reach; the address is judged after the name was looked up."""

    plain_http: bool = False
    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, allowed: Iterable[str], *, plain_http: bool) -> "Reach":
        networks = tuple(ipaddress.ip_network(network, strict=False) for network in allowed)
        return cls(plain_http, networks)

    def check(self, origin: str, scheme: str, addresses: Sequence[str]) -> None:
        """Refuse the lot where one is out of reach: a name may be made to lead inside."""
        if scheme != "https" and not self.plain_http:
            raise RefusedError(
                f"refused to send to {origin}",
                why="it is not https",
                hint="Use https, or set notify.allow_http: true.",
            )
        for address in addresses:
            if not self.permits(address):
                raise RefusedError(
                    f"refused to send to {origin}",
                    why=f"{address} is not a public address",
                    hint=f"If it is meant, set notify.allow_addresses: [{address}].",
                )

    def permits(self, text: str) -> bool:
        try:
            address = _unwrapped(ipaddress.ip_address(text))
        except ValueError:
            return False
        if any(address in network for network in self.allowed):
            return True
        return is_public(address)


def is_public(address: Address) -> bool:
    if any(address in network for network in TUNNELS):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
    )


def _unwrapped(address: Address) -> Address:
    """Look at the IPv4 address inside ::ffff:a.b.c.d: that is where it goes."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
