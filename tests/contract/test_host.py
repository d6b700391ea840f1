"""One suite over the fake and the real machine, then what only the machine can show."""

import os
import socket
import subprocess
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.host import Host, Listener, Mount, PsutilHost, Usage
from tests.fakes.host import SetHost
from tests.waiting import wait_for

ROOT = Path("/")


@pytest.fixture(params=["machine", "set"])
def host(request: pytest.FixtureRequest) -> Host:
    if request.param == "machine":
        return PsutilHost({})
    told = SetHost(processes={os.getpid(): 12.5})
    told.fill(ROOT, 40)
    return told


def test_the_root_is_always_a_mount(host: Host) -> None:
    assert ROOT in {mount.path for mount in host.mounts()}


def test_a_mount_says_how_full_it_is(host: Host) -> None:
    usage = host.usage(ROOT)

    assert usage.mount == ROOT
    assert 0 < usage.percent <= 100
    assert usage.used_bytes + usage.free_bytes <= usage.total_bytes
    assert 0 <= usage.inode_percent <= 100


def test_a_path_that_is_not_there_is_an_error(host: Host) -> None:
    with pytest.raises(OpsctlError) as caught:
        host.usage(Path("/no/such/mount"))

    assert caught.value.what == "cannot measure /no/such/mount"
    assert caught.value.why == "No such file or directory"


def test_figures_of_the_machine_make_sense(host: Host) -> None:
    memory = host.memory()

    assert 0 < memory.available_bytes <= memory.total_bytes
    assert 0 <= memory.percent <= 100
    assert host.cpus() >= 1
    assert host.load().one_minute >= 0
    assert host.name()
    assert host.user().name


def test_a_boot_has_an_id_and_a_time_in_the_past(host: Host) -> None:
    assert host.boot().id
    assert host.boot().at < datetime.now(UTC)


def test_a_process_began_once(host: Host) -> None:
    assert host.started(os.getpid()) == host.started(os.getpid()) is not None


def test_a_process_that_is_not_there_never_began(host: Host) -> None:
    assert host.started(2**22 + 1) is None


def test_percent_is_what_psutil_counts() -> None:
    usage = PsutilHost({}).usage(ROOT)

    assert usage.percent == pytest.approx(psutil.disk_usage("/").percent, abs=1)


def test_a_listener_is_found_with_its_owner() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

        found = [one for one in PsutilHost({}).listeners() if one.port == port]

    assert found == [Listener("127.0.0.1", port, os.getpid(), psutil.Process().name())]


def test_a_udp_port_open_to_anyone_is_found() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as heard:
        port = next(n for n in range(20_000, 30_000) if _bound(heard, n))

        found = [one for one in PsutilHost({}).datagrams() if one.port == port]

    assert [(one.address, one.pid) for one in found] == [("127.0.0.1", os.getpid())]


def _bound(heard: socket.socket, port: int) -> bool:
    try:
        heard.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_a_connection_is_found_with_its_remote_end() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        closing(socket.create_connection(server.getsockname())) as client,
    ):
        accepted, _ = server.accept()
        port = server.getsockname()[1]

        found = [one for one in PsutilHost({}).connections() if one.port == port]

        accepted.close()
        assert client.getpeername()[1] == port
    assert [(one.address, one.remote) for one in found] == [("127.0.0.1", "127.0.0.1")]


def test_loopback_is_an_interface(host: Host) -> None:
    assert "127.0.0.1" in host.addresses()["lo"]


def test_who_typed_sudo_is_known() -> None:
    assert PsutilHost({"SUDO_USER": "someone"}).user().behind == "someone"


def test_a_zombie_has_ended() -> None:
    child = subprocess.Popen(["true"])
    wait_for(lambda: psutil.Process(child.pid).status() == "zombie", 60, "the child to end")

    started = PsutilHost({}).started(child.pid)

    assert started is None
    assert child.wait(timeout=60) == 0


def test_a_process_began_after_the_machine() -> None:
    host = PsutilHost({})
    began = host.started(os.getpid())

    assert began is not None
    by_psutil = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    assert abs(host.boot().at + timedelta(seconds=began) - by_psutil) < timedelta(seconds=2)


class HangingDisk:
    """Answers only once it is let go, as a disk whose server is away."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = 0

    def measure(self, path: Path) -> Usage:
        self.asked += 1
        self.let_go.wait(60)
        return Usage(path, 10, 5, 5, 50.0)


def test_a_hanging_mount_is_answered_in_time_and_asked_once() -> None:
    disk = HangingDisk()
    host = PsutilHost({}, deadline_s=0.05, measure=disk.measure)

    for _ in range(3):
        with pytest.raises(UnreachableError, match="cannot measure /far within"):
            host.usage(Path("/far"))

    assert disk.asked == 1
    disk.let_go.set()
    assert wait_for(lambda: measured(host), 60, "the mount to answer") == 50.0


def measured(host: Host) -> float | None:
    try:
        return host.usage(Path("/far")).percent
    except UnreachableError:
        return None


def test_a_hanging_mount_does_not_hold_up_the_others() -> None:
    disk = HangingDisk()
    host = PsutilHost({}, deadline_s=0.05, measure=lambda path: choose(disk, path))

    with pytest.raises(UnreachableError):
        host.usage(Path("/far"))

    assert host.usage(ROOT).percent == 1.0
    disk.let_go.set()


def choose(disk: HangingDisk, path: Path) -> Usage:
    return disk.measure(path) if path != ROOT else Usage(path, 100, 1, 99, 1.0)


def test_the_fake_hangs_as_the_machine_does() -> None:
    with pytest.raises(UnreachableError, match="cannot measure /far within"):
        SetHost(hanging={Path("/far")}).usage(Path("/far"))


def test_mounts_of_the_fake_are_those_it_was_given() -> None:
    told = SetHost(hanging={Path("/far")})
    told.fill(Path("/data"), 50)

    assert [mount.path for mount in told.mounts()] == [ROOT, Path("/data"), Path("/far")]
    assert all(isinstance(mount, Mount) for mount in told.mounts())


def test_the_root_is_always_mounted(host: Host) -> None:
    assert ROOT in host.mounted()
