from pathlib import Path

import psutil
import pytest

from opsctl.errors import OpsctlError
from opsctl.systems.host import BY_CLASS, Mount, Usage, disks, read_started, translate


def test_a_bind_mount_is_the_same_disk() -> None:
    found = (
        Mount(Path("/var/lib/docker/volumes"), "/dev/sdb", "ext4"),
        Mount(Path("/data"), "/dev/sdb", "ext4"),
        Mount(Path("/"), "/dev/sda", "ext4"),
    )

    assert [mount.path for mount in disks(found)] == [Path("/"), Path("/data")]


def test_a_mounted_image_is_not_a_disk() -> None:
    assert disks((Mount(Path("/snap/core"), "/dev/loop0", "squashfs"),)) == (
        Mount(Path("/"), "", ""),
    )


def test_a_program_may_be_named_like_a_bracket() -> None:
    fields = ["S", *("0" for _ in range(18)), "250", "0"]

    assert read_started(f"7 (a) b) (c) {' '.join(fields)}", 100) == 2.5


def test_a_file_system_without_a_count_of_inodes_is_not_full_of_them() -> None:
    assert Usage(Path("/"), 100, 50, 50, 50.0).inode_percent == 0


def subclasses(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(under for one in kind.__subclasses__() for under in subclasses(one))]


@pytest.mark.parametrize("theirs", subclasses(psutil.Error))
def test_every_error_of_psutil_has_its_own_answer(theirs: type[Exception]) -> None:
    assert theirs in BY_CLASS


@pytest.mark.parametrize(
    "error",
    [psutil.AccessDenied(7), psutil.NoSuchProcess(7), psutil.TimeoutExpired(1), OSError(5, "I/O")],
)
def test_an_answer_says_what_and_why(error: Exception) -> None:
    answer = translate(error, "cannot look")

    assert isinstance(answer, OpsctlError)
    assert answer.what == "cannot look"
    assert answer.why
