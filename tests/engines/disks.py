"""Small real file systems that a test may fill; only root can make them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.require import give_up
from tests.engines.server_folders import ServerFolders

SmallDisk = Callable[[int], Path]
_MIB = 1024 * 1024
_COMMAND_S = 30


@pytest.fixture(scope="session")
def root_machine() -> None:
    """Ask for root on Linux, with the means to make file systems."""
    if sys.platform != "linux" or os.geteuid() != 0:
        give_up("root", "not running as root on Linux")
    for program in ("mkfs.ext4", "mount", "umount"):
        if shutil.which(program) is None:
            give_up("root", f"no {program} in PATH; scripts/ci/testbed up")
    if not Path("/dev/loop-control").exists():
        give_up("root", "the kernel has no loop devices")


@pytest.fixture
def small_disk(root_machine: None, server_folders: ServerFolders) -> Iterator[SmallDisk]:  # noqa: ARG001 - a guard
    """Mount an empty ext4 of so many MiB; unmounted after the test."""
    mounted: list[Path] = []

    def mount(size_mib: int) -> Path:
        home = server_folders("disk")
        image, target = home / "image", home / "disk"
        with image.open("wb") as file:
            file.truncate(size_mib * _MIB)
        target.mkdir()
        _run("mkfs.ext4", "-q", "-m", "0", str(image))
        _run("mount", "-o", "loop", str(image), str(target))
        mounted.append(target)
        return target

    yield mount
    for target in mounted:
        _run("umount", "--lazy", str(target))


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=_COMMAND_S)
