"""Each kind of address, and what every question about it answers."""

from collections.abc import Callable

import pytest

from opsctl.addresses import (
    EVERYWHERE,
    is_documentation,
    is_loopback,
    is_public,
    is_safe_destination,
    is_tailnet,
    parse_address,
    parse_networks,
)

QUESTIONS: dict[str, Callable[[str], bool]] = {
    "loopback": is_loopback,
    "tailnet": is_tailnet,
    "documentation": is_documentation,
    "public": is_public,
    "safe": is_safe_destination,
}


@pytest.mark.parametrize(
    ("address", "answers"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.9.1", "loopback"),
        ("::1", "loopback"),
        ("[::1]", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("localhost", "loopback"),
        ("LocalHost.", "loopback"),
        ("localhost.example.com", ""),
        ("0.0.0.0", ""),  # noqa: S104 - every address, and none
        ("::", ""),
        ("10.0.0.1", ""),
        ("172.31.255.255", ""),
        ("172.32.0.1", "public safe"),
        ("192.168.1.1", ""),
        ("169.254.169.254", ""),
        ("fc00::1", ""),
        ("fe80::1", ""),
        ("fe80::1%eth0", ""),
        ("100.63.255.255", "public safe"),
        ("100.64.0.0", "tailnet"),
        ("100.127.255.255", "tailnet"),
        ("100.128.0.0", "public safe"),
        ("::ffff:100.64.0.7", "tailnet"),
        ("fd7a:115c:a1e0::1", "tailnet"),
        ("fd7a:115c:a1e1::1", ""),
        ("192.0.2.1", "documentation"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.255", "documentation"),
        ("::ffff:203.0.113.1", "documentation"),
        ("2001:db8::1", "documentation"),
        ("8.8.8.8", "public safe"),
        ("::ffff:8.8.8.8", "public safe"),
        ("2001:4860:4860::8888", "public safe"),
        ("[2001:4860:4860::8888]", "public safe"),
        ("224.0.1.1", ""),
        ("ff02::1", ""),
        ("240.0.0.1", ""),
        ("2002:7f00:1::", "public"),
        ("64:ff9b::7f00:1", "public"),
        ("192.88.99.1", "public"),
        ("example.com", ""),
        ("", ""),
        ("8.8.8.8%eth0", ""),
        ("[8.8.8.8", ""),
        ("8.8.8", ""),
    ],
)
def test_an_address_is_what_the_table_says(address: str, answers: str) -> None:
    found = [name for name, asks in QUESTIONS.items() if asks(address)]

    assert " ".join(found) == answers


@pytest.mark.parametrize("text", sorted(EVERYWHERE))
def test_listening_everywhere_is_neither_loopback_nor_the_tailnet(text: str) -> None:
    assert not is_loopback(text)
    assert not is_tailnet(text)


def test_an_ipv4_address_inside_an_ipv6_address_is_read_as_itself() -> None:
    assert str(parse_address("::ffff:192.0.2.1")) == "192.0.2.1"


def test_a_network_may_be_a_single_address_and_what_is_neither_is_named() -> None:
    assert [str(each) for each in parse_networks(["10.1.2.3", "10.9.9.9/8"])] == [
        "10.1.2.3/32",
        "10.0.0.0/8",
    ]
    with pytest.raises(ValueError, match="nonsense"):
        parse_networks(["nonsense"])
