"""Where a request may go: public addresses over TLS, and the addresses that settings allow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.addresses import is_safe_destination, parse_address, parse_networks
from opsctl.errors import RefusedError

if TYPE_CHECKING:
    from opsctl.addresses import Network


@dataclass(frozen=True, slots=True)
class AllowedAddresses:
    """What a request may reach; an address is checked after the name was resolved."""

    plain_http: bool = False
    networks: "tuple[Network, ...]" = ()

    @classmethod
    def of(cls, networks: Iterable[str], *, plain_http: bool) -> "AllowedAddresses":
        return cls(plain_http, parse_networks(networks))

    def check(self, origin: str, scheme: str, addresses: Sequence[str]) -> None:
        """Refuse all of them if one is not allowed: a name may be made to lead inside."""
        if scheme != "https" and not self.plain_http:
            raise RefusedError(
                f"cannot send to {origin}",
                why="it is not https",
                hint="Use https, or set notify.allow_http: true.",
            )
        for address in addresses:
            if not self.allows(address):
                raise RefusedError(
                    f"cannot send to {origin}",
                    why=f"{address} is not a public address",
                    hint=f"If that is intended, set notify.allow_addresses: [{address}].",
                )

    def allows(self, text: str) -> bool:
        address = parse_address(text)
        if address is not None and any(address in network for network in self.networks):
            return True
        return is_safe_destination(text)
