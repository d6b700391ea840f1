"""A lock says who holds it, and its file stays."""

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsctl.errors import BusyError, OpsctlError, UsageError
from opsctl.state import Locks
from opsctl.state.model import Actor, LockHolder
from opsctl.systems.clock import Clock
from opsctl.systems.files.local import HeldFile, LocalFiles

FILES = LocalFiles()


@pytest.fixture
def locks(directory: Path, clock: Clock, actor: Actor) -> Locks:
    return Locks(directory, FILES, clock, actor)


def take(locks: Locks, *, wait_s: float = 0.0) -> None:
    with locks.hold("deploy-prod", purpose="down", wait_s=wait_s):
        pass


def test_the_second_taker_learns_the_holder_the_time_the_purpose_and_how_to_wait(
    locks: Locks,
) -> None:
    with locks.hold("deploy-prod", purpose="up web"), pytest.raises(BusyError) as caught:
        take(locks)

    assert caught.value.exit_code == 75
    assert caught.value.what == "cannot take the lock deploy-prod"
    assert caught.value.why.startswith(
        "held by op@box (pid 4242) since 2026-01-31 09:30:00 UTC for: up web"
    )
    assert "--lock-timeout" in caught.value.hint


def test_waiting_ends_when_the_time_asked_for_is_over(locks: Locks, clock: Clock) -> None:
    with locks.hold("deploy-prod", purpose="up"), pytest.raises(BusyError) as caught:
        take(locks, wait_s=30)

    assert caught.value.what == "cannot take the lock deploy-prod after waiting 30 s"
    assert 30 <= clock.steady() < 31


def test_waiting_ends_well_when_the_lock_becomes_free(directory: Path, actor: Actor) -> None:
    holding = FILES.hold(directory / "deploy-prod.lock")
    clock = ReleasingClock(holding)
    FILES.make_private_dir(directory)
    holding.__enter__()

    take(Locks(directory, FILES, clock, actor), wait_s=30)

    assert clock.steady() < 30


class ReleasingClock:
    """The first sleep is when the other holder lets go."""

    def __init__(self, holding: AbstractContextManager[HeldFile]) -> None:
        self._holding: AbstractContextManager[HeldFile] | None = holding
        self._slept_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 31, tzinfo=UTC)

    def steady(self) -> float:
        return self._slept_s

    def sleep(self, seconds: float) -> None:
        self._slept_s += seconds
        if self._holding:
            self._holding.__exit__(None, None, None)
            self._holding = None


def test_a_check_of_the_lock_does_not_refuse_its_taker(directory: Path, actor: Actor) -> None:
    FILES.make_private_dir(directory)
    glance = FILES.hold(directory / "deploy-prod.lock")
    glance.__enter__()

    take(Locks(directory, FILES, ReleasingClock(glance), actor))

    assert (directory / "deploy-prod.lock").read_text() == ""


def test_the_holder_is_read_without_taking_the_lock(locks: Locks, clock: Clock) -> None:
    with locks.hold("deploy-prod", purpose="up"):
        holder = locks.holder("deploy-prod")

    assert holder == LockHolder("op@box", "box", 4242, clock.now(), "up")


def test_a_free_lock_has_no_holder_whatever_its_file_says(locks: Locks, directory: Path) -> None:
    with locks.hold("deploy-prod", purpose="up"):
        text = (directory / "deploy-prod.lock").read_text()
    (directory / "deploy-prod.lock").write_text(text)

    assert locks.holder("deploy-prod") is None
    assert locks.holder("never-taken") is None


@pytest.mark.parametrize("text", ["", '{"who": "op@b', "null", "[]", '{"who": 1}', "\0\0"])
def test_a_holder_that_cannot_be_read_still_holds(locks: Locks, directory: Path, text: str) -> None:
    with held_with(directory, text):
        holder = locks.holder("deploy-prod")
        with pytest.raises(BusyError) as caught:
            take(locks)

    assert holder is not None
    assert holder.since is None
    assert caught.value.why.startswith("held by someone whose name is not recorded")


@contextmanager
def held_with(directory: Path, text: str) -> Iterator[None]:
    FILES.make_private_dir(directory)
    with FILES.hold(directory / "deploy-prod.lock") as held:
        held.write(text)
        yield


def test_the_lock_file_stays_the_same_file(locks: Locks, directory: Path) -> None:
    take(locks)
    first = (directory / "deploy-prod.lock").stat().st_ino
    take(locks)

    assert (directory / "deploy-prod.lock").stat().st_ino == first


def test_the_lock_is_free_after_an_error_inside(locks: Locks) -> None:
    with (
        pytest.raises(OpsctlError, match="inside"),
        locks.hold("deploy-prod", purpose="up"),
    ):
        raise OpsctlError("inside")

    take(locks)
    assert locks.holder("deploy-prod") is None


def test_locks_of_two_names_do_not_meet(locks: Locks) -> None:
    with locks.hold("deploy-prod", purpose="up"), locks.hold("deploy-dev", purpose="up"):
        held = locks.holder("deploy-prod"), locks.holder("deploy-dev")

    assert all(held)


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "nul\0", "a\n", "x" * 101])
def test_a_name_cannot_lead_out_of_the_directory(locks: Locks, directory: Path, name: str) -> None:
    with pytest.raises(UsageError), locks.hold(name, purpose="up"):
        pass

    assert not directory.exists()


def test_lock_files_are_private_whatever_the_umask(locks: Locks, directory: Path) -> None:
    before = os.umask(0)
    try:
        take(locks)
    finally:
        os.umask(before)

    assert stat.S_IMODE((directory / "deploy-prod.lock").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
