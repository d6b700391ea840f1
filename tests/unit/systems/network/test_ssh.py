from pathlib import Path

import pytest

from opsctl.errors import SettingsError
from opsctl.systems.network.ssh import Remote, read_address, read_df
from opsctl.systems.network.tailnet import Peer

PEER = Peer("prod.tail1.ts.net", ("100.64.0.7",), "n1")


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("ssh://ubuntu@prod", Remote("prod", "ubuntu")),
        ("ssh://prod:2222", Remote("prod", "", 2222)),
        ("ssh://u@[::1]:22/run/d.sock", Remote("::1", "u", 22, "/run/d.sock")),
    ],
)
def test_an_address_is_read(address: str, remote: Remote) -> None:
    assert read_address(address) == remote


@pytest.mark.parametrize(
    "address",
    ["", "ssh://", "prod", "tcp://prod", "ssh://-oProxyCommand=x", "ssh://-x@prod", "ssh://p:x"],
)
def test_what_is_no_address_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(SettingsError):
        read_address(address)


def test_a_proved_machine_is_reached_at_its_own_address_and_no_other_way() -> None:
    argv = Remote("prod", "ubuntu", peer=PEER, bind="100.64.0.1").running("df", "--", "/a b")

    assert argv[0] == "ssh"
    for option in (
        "HostName=100.64.0.7",
        "HostKeyAlias=prod.tail1.ts.net",
        "ProxyJump=none",
        "ProxyCommand=none",
        "ControlPath=none",
        "BindAddress=100.64.0.1",
        "BatchMode=yes",
    ):
        assert argv[argv.index(option) - 1] == "-o"
    assert argv[-3:] == ("--", "prod", "df -- '/a b'")


def test_the_socket_is_brought_here() -> None:
    argv = Remote("prod").running("sh", forward=Path("/state/e.sock"))

    assert argv[argv.index("-L") + 1] == "/state/e.sock:/var/run/docker.sock"


def test_a_disk_over_there_is_read() -> None:
    said = "Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/x 1000 600 300 67% /data\n"

    usage = read_df(said)

    assert usage is not None
    assert (usage.mount, usage.free_bytes, usage.percent) == (Path("/data"), 300, 70.0)
    assert read_df("df: no such file\n") is None
    assert read_df("") is None
