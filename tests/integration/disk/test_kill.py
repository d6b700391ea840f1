"""A killed run: the next one completes it, and the records show what was deleted."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from opsctl.state import Store, open_store
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.integration.disk.conftest import log
from tests.waiting import wait_for

REPOSITORY = Path(__file__).parents[3]
FOLDERS, OLD, YOUNG = 40, 250, 10
SETTINGS = """
project: {{name: stack}}
notify: {{journal: false}}
retention: {{roots: [{root}], allow: [{root}], workers: 2}}
state: {{dir: {state}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "configs").mkdir(parents=True)
    text = SETTINGS.format(root=tmp_path / "raw", state=tmp_path / "state")
    (project / "configs" / "opsctl.yaml").write_text(text)
    return project


def start(project: Path) -> "subprocess.Popen[bytes]":
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    argv = [sys.executable, "-m", "opsctl", "disk", "retain", "--yes", "--json"]
    return subprocess.Popen(argv, cwd=project, env=environ, stdout=subprocess.PIPE)


def grow(root: Path) -> int:
    """Fill all folders; say how many old files that were."""
    for folder in range(FOLDERS):
        for number in range(OLD):
            log(root / f"{folder}" / f"old-{number}.log", hours=200)
        for number in range(YOUNG):
            log(root / f"{folder}" / f"young-{number}.log", hours=1)
    return FOLDERS * OLD


def count(root: Path, start: str) -> int:
    """Count the files that are called so, fast enough to see a run begin."""
    names = (name for _, _, files in os.walk(root) for name in files)
    return sum(name.startswith(start) for name in names)


def has_begun(root: Path, before: int, process: "subprocess.Popen[bytes]") -> bool:
    return count(root, "old-") < before or process.poll() is not None


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def store_of(tmp_path: Path) -> Store:
    return open_store(tmp_path / "state", SqliteDatabases(LocalFiles(), SystemClock()))


@pytest.mark.timeout(600)
def test_a_killed_run_is_completed_and_its_records_show_what_was_deleted(
    tmp_path: Path, project: Path
) -> None:
    root = tmp_path / "raw"
    whole = grow(root)

    killed = late = 0
    for _ in range(5):
        if not count(root, "old-"):
            # On a busy machine a run may be over before it is seen to have begun.
            whole += grow(root)
        before = count(root, "old-")
        process = start(project)
        wait_for(partial(has_begun, root, before, process), 60, "the first file to be deleted")
        workers = children(process.pid)
        process.send_signal(signal.SIGKILL)
        was_killed = process.wait(60) == -signal.SIGKILL
        process.communicate()
        for worker in workers:
            wait_for(partial(has_ended, worker), 60, "the workers to end with the run")
        is_half_way = count(root, "old-") > 0
        killed += was_killed and is_half_way
        late += was_killed and not is_half_way
    output = start(project).communicate(timeout=100)[0]

    assert killed >= 1
    assert b'"schema": "opsctl.disk.retain/1"' in output
    assert count(root, "old-") == 0
    assert count(root, ".opsctl-") + count(root, "recovered-") == 0
    assert count(root, "young-") == FOLDERS * YOUNG
    with store_of(tmp_path) as store:
        runs = {entry.details["run"] for entry in store.audit.entries() if entry.details.get("run")}
        recorded = [one for run in runs for one in store.removals.of_run(str(run))]
        assert store.removals.unfinished() == []
        # Files that a killed run had renamed are recorded by it, and by the run that finished it.
        gone = sum(one.gone_files or 0 for one in recorded)
        assert whole <= gone <= whole + 2 * (killed + late)
        # One that had removed all when it was killed may have recorded that, or not yet.
        assert killed <= len(store.audit.unfinished()) <= killed + late
