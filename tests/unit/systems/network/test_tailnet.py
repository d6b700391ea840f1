from typing import Any

import pytest

from opsctl.errors import RefusedError, UnreachableError
from opsctl.systems.network.tailnet import (
    TailscaleTailnet,
    find_peer,
    own_addresses,
    same_machine,
)
from tests.fakes.processes import ScriptedProcesses

PEER: dict[str, Any] = {
    "ID": "n1",
    "DNSName": "stock-prod.tail1.ts.net.",
    "HostName": "stock-prod",
    "TailscaleIPs": ["100.64.0.7", "fd7a::7"],
    "Online": True,
    "CurAddr": "1.2.3.4:5",
}
SELF = {"Online": True, "TailscaleIPs": ["100.64.0.1", "fd7a::1"], "DNSName": "me.tail1.ts.net."}


def _status(*peers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "BackendState": "Running",
        "TUN": True,
        "MagicDNSSuffix": "tail1.ts.net",
        "Self": SELF,
        "Peer": {str(number): peer for number, peer in enumerate(peers)},
        **more,
    }


@pytest.mark.parametrize(
    "host", ["stock-prod", "STOCK-PROD", "stock-prod.tail1.ts.net.", "100.64.0.7", "fd7a::7"]
)
def test_a_machine_is_found_by_name_or_address(host: str) -> None:
    peer = find_peer(_status(PEER), host)

    assert (peer.name, peer.address) == ("stock-prod.tail1.ts.net", "100.64.0.7")


@pytest.mark.parametrize(
    "status",
    [
        _status(PEER, BackendState="Stopped"),
        _status(PEER, BackendState=None),
        _status(PEER, Self={**SELF, "Online": False}),
        _status(PEER, Self=None),
        _status(PEER, TUN=False),
        _status(Peer=None),
        _status(),
        _status(PEER, PEER),
        _status({**PEER, "Expired": True}),
        _status({**PEER, "ShareeNode": True}),
        _status({**PEER, "TailscaleIPs": None}),
        _status({**PEER, "TailscaleIPs": ["100.100.100.100"]}),
        _status({**PEER, "ID": None}),
        _status({**PEER, "DNSName": "stock-prod.other.ts.net."}),
        _status({**PEER, "DNSName": None}),
        _status(PEER, MagicDNSSuffix=""),
        {},
    ],
)
def test_whatever_is_doubtful_is_refused(status: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        find_peer(status, "stock-prod")


@pytest.mark.parametrize("host", ["100.64.0.99", "stock", "me", "HostName", ""])
def test_an_address_of_the_right_look_or_half_a_name_is_no_proof(host: str) -> None:
    with pytest.raises(RefusedError):
        find_peer(_status(PEER), host)


def test_the_name_a_machine_gives_itself_is_no_proof() -> None:
    liar = {**PEER, "DNSName": "stock-prod-1.tail1.ts.net."}

    with pytest.raises(RefusedError):
        find_peer(_status(liar), "stock-prod")


def test_a_relayed_machine_says_so() -> None:
    assert find_peer(_status({**PEER, "CurAddr": "", "Relay": "fra"}), "stock-prod").is_relayed
    assert not find_peer(_status(PEER), "stock-prod").is_relayed


def test_whois_must_name_the_same_machine() -> None:
    peer = find_peer(_status(PEER), "stock-prod")

    assert same_machine(peer, {"Node": {"StableID": "n1"}})
    assert not same_machine(peer, {"Node": {"StableID": "n2"}})
    assert not same_machine(peer, {})


def test_own_addresses_are_none_when_it_is_not_up() -> None:
    assert own_addresses(_status()) == {"100.64.0.1", "fd7a::1"}
    assert own_addresses(_status(BackendState="Stopped")) == frozenset()


def _scripted(status: str, whois: str = '{"Node": {"StableID": "n1"}}') -> TailscaleTailnet:
    processes = ScriptedProcesses()
    processes.script("tailscale", "status", stdout=status)
    processes.script("tailscale", "whois", stdout=whois)
    return TailscaleTailnet(processes)


def test_the_program_is_asked_for_status_and_whois() -> None:
    import json  # noqa: PLC0415 - only here

    assert _scripted(json.dumps(_status(PEER))).prove("stock-prod").id == "n1"
    with pytest.raises(RefusedError):
        _scripted(json.dumps(_status(PEER)), "{}").prove("stock-prod")
    offline = _status({**PEER, "Online": False})
    with pytest.raises(UnreachableError):
        _scripted(json.dumps(offline)).prove("stock-prod")
    assert _scripted("no json").own_addresses() == frozenset()
