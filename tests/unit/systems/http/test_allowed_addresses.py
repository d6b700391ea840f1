"""Which addresses a webhook may go to."""

import pytest

from opsctl.errors import RefusedError
from opsctl.systems.http.allowed_addresses import AllowedAddresses

PUBLIC = AllowedAddresses.of([], plain_http=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - an address that must be refused
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.88.99.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd7a:115c:a1e0::1",
        "2002:7f00:1::",
        "2001::1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:db8::1",
        "ff02::1",
        "nonsense",
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(RefusedError, match="cannot send") as caught:
        PUBLIC.check("https://hook", "https", [address])

    assert caught.value.why == f"{address} is not a public address"


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_what_is_public_is_reached(address: str) -> None:
    PUBLIC.check("https://hook", "https", [address])

    assert PUBLIC.allows(address)


def test_one_internal_address_refuses_all_of_them() -> None:
    with pytest.raises(RefusedError):
        PUBLIC.check("https://hook", "https", ["8.8.8.8", "10.0.0.1"])


def test_what_is_allowed_by_name_is_reached_and_its_neighbour_is_not() -> None:
    allowed = AllowedAddresses.of(["10.1.2.3", "fd00::/64"], plain_http=False)

    permitted = [
        allowed.allows(each) for each in ("10.1.2.3", "10.1.2.4", "fd00::9", "::ffff:10.1.2.3")
    ]

    assert permitted == [True, False, True, True]


def test_http_needs_a_setting() -> None:
    with pytest.raises(RefusedError, match="cannot send") as caught:
        PUBLIC.check("http://hook", "http", ["8.8.8.8"])

    assert "allow_http" in caught.value.hint
