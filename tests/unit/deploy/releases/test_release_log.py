"""Which release runs, which is unfinished, and which ran before."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsctl.deploy.releases.release_log import ReleaseLog, find_previous
from opsctl.state import open_store
from opsctl.state.model import Release
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.fakes.clock import HandClock
from tests.unit.deploy.observations import make_release


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def log(tmp_path: Path, clock: HandClock) -> Iterator[ReleaseLog]:
    with open_store(tmp_path / "state", SqliteDatabases(LocalFiles(), clock)) as store:
        yield ReleaseLog(store.releases, clock, "dev")


def _record(log: ReleaseLog, *outcomes: str, **details: Any) -> None:
    """Record releases r1, r2 ... with these outcomes, oldest first."""
    for outcome in outcomes:
        number = len(log.recent()) + 1
        name = f"r{number}"
        at = log.clock.now()
        log.releases.begin(
            Release(name, "dev", at, "abc", "", "op", details={"file_digest": name, **details})
        )
        if outcome != "running":
            release = log.releases.find(name)
            assert release is not None
            log.finish(name, outcome, release.details)


def _name(releases: Any) -> list[str]:
    return [release.id for release in releases]


@pytest.mark.parametrize(
    ("outcomes", "unfinished"),
    [
        (("done", "running"), "r2"),
        (("done", "running", "failed"), "r2"),
        (("done", "running", "failed", "failed"), "r2"),
        (("done", "degraded", "failed"), "r2"),
        (("running", "done", "failed"), None),
        (("degraded", "restored", "failed"), None),
        (("done", "running", "running"), "r3"),
        ((), None),
    ],
)
def test_a_release_stays_unfinished_through_others_that_changed_nothing(
    log: ReleaseLog, outcomes: tuple[str, ...], unfinished: str | None
) -> None:
    _record(log, *outcomes)

    found = log.unfinished()

    assert (found.id if found else None) == unfinished


def test_every_release_that_was_cut_off_is_closed_by_the_one_that_continues(
    log: ReleaseLog,
) -> None:
    _record(log, "done", "running", "failed", "running", "running")

    log.abandon_unfinished(successor="r5")

    outcomes = [release.outcome for release in log.recent()]
    assert outcomes == ["running", "abandoned", "failed", "abandoned", "done"]
    assert log.recent()[1].reason == "cut off in step preflight; r5 continued"


def test_a_clock_that_goes_back_changes_neither_current_nor_previous(
    log: ReleaseLog, clock: HandClock
) -> None:
    _record(log, "done", "done")
    clock.wall -= timedelta(hours=1)
    _record(log, "done")

    current = log.current()

    assert current is not None
    assert current.id == "r3"
    assert _name(log.previous(current)) == ["r2", "r1"]


def test_two_releases_of_one_second_have_two_names(log: ReleaseLog) -> None:
    names = []
    for _ in range(3):
        names.append(log.new_id())
        log.releases.begin(Release(names[-1], "dev", log.clock.now(), "", "", "op"))

    assert names[1:] == [f"{names[0]}.2", f"{names[0]}.3"]


def _release(number: int, image: str, **more: Any) -> Any:
    return make_release(f"r{number}", number=number, images={"web": image}, **more)


def test_a_release_that_runs_the_same_is_not_a_previous_one() -> None:
    releases = [_release(4, "bad"), _release(3, "bad"), _release(2, "good"), _release(1, "good")]

    assert _name(find_previous(releases, releases[0])) == ["r2"]


def test_images_that_differ_only_in_when_they_were_built_are_the_same() -> None:
    again = _release(3, "i3", image_contents={"web": "same"})
    first = _release(2, "i2", image_contents={"web": "same"})
    good = _release(1, "i1", image_contents={"web": "other"})

    assert _name(find_previous([again, first, good], again)) == ["r1"]


def test_another_compose_file_is_another_release() -> None:
    newer, older = _release(2, "i", file_digest="b"), _release(1, "i", file_digest="a")

    assert _name(find_previous([newer, older], newer)) == ["r1"]


def test_after_a_rollback_the_previous_release_is_older_than_the_restored_one() -> None:
    bad, good, oldest = _release(3, "i3"), _release(2, "i2"), _release(1, "i1")
    back = _release(4, "i2", origin="r2")

    assert _name(find_previous([back, bad, good, oldest], back)) == ["r1"]


def test_after_a_rollback_to_what_ran_before_the_first_release_there_is_none() -> None:
    first, back = _release(1, "i1"), _release(2, "i0", origin="before-r1")

    assert find_previous([back, first], back) == ()


def test_a_repeated_deploy_after_a_rollback_still_goes_back_to_the_good_release() -> None:
    good, bad = _release(1, "i1"), _release(2, "i2")
    back, again = _release(3, "i1", origin="r1"), _release(4, "i2")

    assert _name(find_previous([again, back, bad, good], again)) == ["r1"]
