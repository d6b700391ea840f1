"""Folders for servers, named for the test process, swept when that process is gone."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from tests.engines.owner import PREFIX, is_left_over, this_process

ServerFolders = Callable[[str], Path]


@pytest.fixture(scope="session")
def server_folders() -> Iterator[ServerFolders]:
    """Make a new folder of a given kind; its path is short enough for a unix socket."""
    remove_left_over_folders()
    made: list[Path] = []

    def make(kind: str) -> Path:
        # Not under pytest's own base: no other user may enter, and PostgreSQL refuses root.
        name = f"{this_process().prefix}-{kind}-{uuid4().hex[:6]}"
        folder = Path(tempfile.gettempdir()) / name
        folder.mkdir(mode=0o755)
        made.append(folder)
        return folder

    yield make
    for folder in made:
        remove_server_folder(folder)


def remove_left_over_folders() -> None:
    """Remove the folders of test processes that are gone, and end the servers still in them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}-*"):
        if is_left_over(folder.name):
            _end_servers_in(folder)
            remove_server_folder(folder)


def _end_servers_in(folder: Path) -> None:
    """A frozen server does not hear the signal that its parent's death sends."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                process.kill()


def remove_server_folder(folder: Path) -> None:
    """Unmount what is mounted inside, then remove the folder: never the content of a mount."""
    for mount in reversed(_mounts_under(folder)):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True, timeout=30)
    if not _mounts_under(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _mounts_under(folder: Path) -> list[str]:
    fields = (line.split() for line in Path("/proc/self/mounts").read_text("utf-8").splitlines())
    return [target for _, target, *_ in fields if Path(target).is_relative_to(folder)]
