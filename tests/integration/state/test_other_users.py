"""What belongs to another user is refused with a reason, not with a traceback."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.state.conftest import ROOT, require_root

NOBODY = 65534
PROGRAM = """
import os, sys
from pathlib import Path
from opsctl.errors import OpsctlError
from opsctl.state import open_store
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases

os.setgroups([])
os.setresgid(*[int(sys.argv[1])] * 3)
os.setresuid(*[int(sys.argv[1])] * 3)
try:
    if sys.argv[2] == "store":
        open_store(Path(sys.argv[3]), SqliteDatabases(LocalFiles(), SystemClock()))
    else:
        LocalFiles().read_text(Path(sys.argv[3]))
except OpsctlError as error:
    print(type(error).__name__, error.why)
"""


def as_nobody(what: str, path: Path) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(NOBODY), what, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return answer.stdout.strip()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Give a directory that every user may reach, unlike those of pytest."""
    require_root()
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_a_file_that_may_not_be_read_is_said_to_lack_permission(open_path: Path) -> None:
    (open_path / "secret").write_text("x")
    (open_path / "secret").chmod(0o600)

    assert as_nobody("file", open_path / "secret") == "OpsctlError permission denied"


def test_a_store_in_another_users_directory_is_refused(open_path: Path) -> None:
    (open_path / "state").mkdir(mode=0o700)

    assert as_nobody("store", open_path / "state") == "RefusedError user 0 owns it"


def test_a_store_whose_file_is_another_users_is_not_opened(open_path: Path) -> None:
    (open_path / "state").mkdir(mode=0o700)
    (open_path / "state" / "state.db").touch(mode=0o600)
    (open_path / "state" / "state.db").chmod(0o644)
    shutil.chown(open_path / "state", NOBODY, NOBODY)

    answer = as_nobody("store", open_path / "state")

    assert answer == "OpsctlError the system does not permit it"
