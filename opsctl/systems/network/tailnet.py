"""The tailnet: which machine a name refers to, verified, not guessed from an address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from opsctl.errors import OpsctlError, RefusedError, UnreachableError
from opsctl.systems.process.run import Command, Processes

TIMEOUT_S = 10.0
RUNNING = "Running"
# Tailscale's own services: an address, and no machine of anyone's.
SERVICES = frozenset({"100.100.100.100", "fd7a:115c:a1e0::53"})
HINT = "See `tailscale status`. Only a machine of this tailnet, or loopback, is spoken to."


@dataclass(frozen=True, slots=True)
class Peer:
    """A machine of the tailnet that was proved to be one."""

    name: str
    addresses: tuple[str, ...]
    id: str
    is_relayed: bool = False
    """No direct way was found: slow."""
    is_online: bool = True

    @property
    def address(self) -> str:
        """The address to connect to; taken from tailscale, never from DNS."""
        return self.addresses[0]


class Tailnet(Protocol):
    def own_addresses(self) -> frozenset[str]:
        """Return this machine's addresses in the tailnet; empty if tailscale is not running."""
        ...

    def prove(self, host: str) -> Peer:
        """Find the one machine that `host` names, or refuse."""
        ...


def find_peer(status: Mapping[str, Any], host: str) -> Peer:
    """Find exactly one peer by MagicDNS name, first label or address; refuse what is doubtful."""
    _require_up(status, host)
    suffix = _bare(_mapping(status.get("CurrentTailnet")).get("MagicDNSSuffix")) or _bare(
        status.get("MagicDNSSuffix")
    )
    peers = [_mapping(one) for one in _mapping(status.get("Peer")).values()]
    found = [one for one in peers if _is_named(one, _bare(host), suffix)]
    if len(found) != 1:
        why = "no machine has this name" if not found else f"{len(found)} machines have this name"
        raise _refused(host, why)
    return _sound(found[0], host, suffix)


def own_addresses(status: Mapping[str, Any]) -> frozenset[str]:
    if status.get("BackendState") != RUNNING:
        return frozenset()
    return frozenset(_texts(_mapping(status.get("Self")).get("TailscaleIPs")))


def same_machine(peer: Peer, whois: Mapping[str, Any]) -> bool:
    """Compare `tailscale whois` of the address with the peer that the name belongs to."""
    node = _mapping(whois.get("Node"))
    return bool(peer.id) and peer.id == node.get("StableID")


def _require_up(status: Mapping[str, Any], host: str) -> None:
    own = _mapping(status.get("Self"))
    if status.get("BackendState") != RUNNING:
        raise _refused(host, f"tailscale is {status.get('BackendState') or 'in an unknown state'}")
    if own.get("Online") is not True:
        raise _refused(host, "this machine is not online in the tailnet")
    if status.get("TUN") is False:
        raise _refused(host, "tailscale runs without a network device, so nothing is routed to it")


def _is_named(peer: Mapping[str, Any], host: str, suffix: str) -> bool:
    name = _bare(peer.get("DNSName"))
    if not name or not suffix or not name.endswith(f".{suffix}"):
        return host in _texts(peer.get("TailscaleIPs"))
    # HostName is what a machine calls itself: two may say the same.
    return host in {name, name.removesuffix(f".{suffix}"), *_texts(peer.get("TailscaleIPs"))}


def _sound(peer: Mapping[str, Any], host: str, suffix: str) -> Peer:
    name = _bare(peer.get("DNSName"))
    addresses = tuple(ip for ip in _texts(peer.get("TailscaleIPs")) if ip not in SERVICES)
    doubts = {
        "its key has expired": bool(peer.get("Expired")),
        "it is shared into another tailnet": bool(peer.get("ShareeNode")),
        "it belongs to another tailnet": not suffix or not name.endswith(f".{suffix}"),
        "tailscale lists no address for it": not addresses,
        "tailscale lists no id for it": not peer.get("ID"),
    }
    for why, holds in doubts.items():
        if holds:
            raise _refused(host, why)
    return Peer(
        name=name,
        addresses=addresses,
        id=str(peer["ID"]),
        is_relayed=not peer.get("CurAddr") and bool(peer.get("Relay")),
        is_online=bool(peer.get("Online")),
    )


def _refused(host: str, why: str) -> RefusedError:
    return RefusedError(f"cannot verify that {host} is on the tailnet", why=why, hint=HINT)


def _bare(name: object) -> str:
    return name.rstrip(".").casefold() if isinstance(name, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


class TailscaleTailnet:
    """Asks the tailscale program; its answers are read tolerantly, doubtful ones refused."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def own_addresses(self) -> frozenset[str]:
        try:
            return own_addresses(self._ask("status", "--json"))
        except OpsctlError:
            return frozenset()

    def prove(self, host: str) -> Peer:
        peer = find_peer(self._ask("status", "--json"), host)
        if not same_machine(peer, self._ask("whois", "--json", peer.address)):
            raise _refused(host, f"tailscale says that {peer.address} is another machine")
        if not peer.is_online:
            raise UnreachableError(f"{host} is offline", why="tailscale does not see it")
        return peer

    def _ask(self, *words: str) -> Mapping[str, Any]:
        finished = self._processes.run(Command(("tailscale", *words), timeout_s=TIMEOUT_S))
        if finished.exit_code:
            raise OpsctlError("cannot ask tailscale", why=finished.complaint, hint=HINT)
        try:
            return _mapping(json.loads(finished.stdout))
        except ValueError as error:
            raise OpsctlError(
                "cannot read the output of tailscale", why="it is not JSON"
            ) from error
