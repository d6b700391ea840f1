"""Locks that all users of one engine share, held by real processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsctl.errors import BusyError, OpsctlError
from opsctl.systems.clock import SystemClock
from opsctl.systems.engine.locks import (
    Claim,
    HostLocks,
    lock_path,
    manual_lock_path,
    read_claim,
)
from tests.waiting import wait_for

CLAIM = Claim("me@here", 1, "2026-01-01 00:00:00 UTC", "opsctl up")
HOLDER = """
import sys
from pathlib import Path
from opsctl.systems.clock import SystemClock
from opsctl.systems.engine.locks import Claim, HostLocks
claim = Claim("them@there", 7, "2026-01-01 00:00:00 UTC", "opsctl up")
with HostLocks(Path(sys.argv[1]), SystemClock()).hold("shop", "engine", claim, wait_s=0):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _held_by_another(directory: Path) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", HOLDER, str(directory)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        yield held
        held.kill()


def test_a_held_lock_says_by_whom_since_when_and_what_for(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path, SystemClock())

    with _held_by_another(tmp_path), pytest.raises(BusyError) as busy:
        locks.hold("shop", "engine", CLAIM, wait_s=0).__enter__()

    assert "held by them@there (pid 7) since 2026-01-01 00:00:00 UTC for: opsctl up" in (
        busy.value.why
    )


def test_any_death_of_the_holder_frees_it(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path, SystemClock())
    with _held_by_another(tmp_path) as held:
        before = locks.holder("shop", "engine")
        held.kill()
        held.wait(60)

        wait_for(lambda: locks.holder("shop", "engine") is None, 60, "the lock to be free")
        with locks.hold("shop", "engine", CLAIM, wait_s=0):
            pass

    assert before is not None
    assert before.who == "them@there"


def test_another_project_and_another_engine_have_locks_of_their_own(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path, SystemClock())

    with (
        _held_by_another(tmp_path),
        locks.hold("shop2", "engine", CLAIM, wait_s=0),
        locks.hold("shop", "engine2", CLAIM, wait_s=0),
    ):
        pass


def test_who_waits_gets_it_when_it_is_free(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path, SystemClock())

    with _held_by_another(tmp_path) as held:
        assert held.stdin is not None
        held.stdin.close()
        with locks.hold("shop", "engine", CLAIM, wait_s=60):
            text = lock_path(tmp_path, "shop", "engine").read_text()

    assert json.loads(text)["who"] == "me@here"


def test_every_user_may_lock_the_file_that_another_made(tmp_path: Path) -> None:
    with HostLocks(tmp_path, SystemClock()).hold("shop", "engine", CLAIM, wait_s=0):
        pass

    assert lock_path(tmp_path, "shop", "engine").stat().st_mode & 0o777 == 0o666


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    lock_path(tmp_path, "shop", "engine").symlink_to(victim)

    with pytest.raises(OpsctlError) as refused:
        HostLocks(tmp_path, SystemClock()).hold("shop", "engine", CLAIM, wait_s=0).__enter__()

    assert "link" in refused.value.hint
    assert victim.read_text() == "precious"


def test_a_directory_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path / "none", SystemClock())

    with pytest.raises(OpsctlError) as refused:
        locks.hold("shop", "engine", CLAIM, wait_s=0).__enter__()

    assert "deploy.lock_dir" in refused.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", '{"who": 1}', "null"])
def test_other_content_means_an_unknown_holder(text: str) -> None:
    assert read_claim(text).said == "held by someone whose name is not recorded"


def test_a_manual_lock_stays_until_it_is_emptied(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path, SystemClock())

    locks.set_manual_lock("shop", "engine", "a longer record\n")
    locks.set_manual_lock("shop", "engine", "record\n")
    before = HostLocks(tmp_path, SystemClock()).manual_lock("shop", "engine")
    locks.set_manual_lock("shop", "engine", "")

    assert before == "record\n"
    assert locks.manual_lock("shop", "engine") == ""
    assert manual_lock_path(tmp_path, "shop", "engine").stat().st_mode & 0o777 == 0o666


def test_a_manual_lock_is_not_the_lock_of_a_deploy(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path, SystemClock())
    locks.set_manual_lock("shop", "engine", "record\n")

    with locks.hold("shop", "engine", CLAIM, wait_s=0):
        pass

    assert locks.manual_lock("shop", "engine") == "record\n"
    assert locks.manual_lock("shop2", "engine") == ""


def test_a_link_in_the_place_of_a_manual_lock_is_not_followed(tmp_path: Path) -> None:
    locks, victim = HostLocks(tmp_path, SystemClock()), tmp_path / "victim"
    victim.write_text("precious")
    manual_lock_path(tmp_path, "shop", "engine").symlink_to(victim)

    for use in (
        lambda: locks.manual_lock("shop", "engine"),
        lambda: locks.set_manual_lock("shop", "engine", "x"),
    ):
        with pytest.raises(OpsctlError) as refused:
            use()
        assert "link" in refused.value.hint

    assert victim.read_text() == "precious"


def test_a_manual_lock_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    locks = HostLocks(tmp_path / "none", SystemClock())

    with pytest.raises(OpsctlError) as refused:
        locks.set_manual_lock("shop", "engine", "record")

    assert "deploy.lock_dir" in refused.value.hint
    assert locks.manual_lock("shop", "engine") == ""
