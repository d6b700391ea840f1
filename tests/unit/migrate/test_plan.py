"""Where each version stands, and what a run does about it."""

import time

import pytest

from opsctl.errors import UsageError
from opsctl.migrate.model import (
    AppliedMigration,
    ApplyOptions,
    Migration,
    MigrationState,
    RefusedMigrationError,
)
from opsctl.migrate.plan import compare_statuses, plan_run


def file(version: int, checksum: str = "sum") -> Migration:
    return Migration(version, f"f{version}", f"{version:03}_f{version}.sql", checksum)


def row(version: int, checksum: str = "sum", *, finished: bool = True) -> AppliedMigration:
    return AppliedMigration(version, f"f{version}", checksum, finished)


def states(files: list[Migration], rows: list[AppliedMigration]) -> dict[int, MigrationState]:
    return {status.version: status.state for status in compare_statuses(files, rows)}


def test_files_and_rows_are_matched_by_version() -> None:
    found = states(
        [file(1), file(2, "new"), file(3), file(5), file(6)],
        [row(1), row(2, "old"), row(4), row(5, finished=False)],
    )

    assert found == {
        1: MigrationState.APPLIED,
        2: MigrationState.EDITED,
        3: MigrationState.OUT_OF_ORDER,
        4: MigrationState.MISSING,
        5: MigrationState.INTERRUPTED,
        6: MigrationState.PENDING,
    }


def test_nothing_at_all_is_nothing_to_do() -> None:
    assert plan_run(compare_statuses([], []), ApplyOptions()).to_apply == ()


def test_a_renamed_file_is_still_applied() -> None:
    (status,) = compare_statuses([file(1)], [AppliedMigration(1, "other", "sum")])

    assert (status.state, status.note) == (MigrationState.APPLIED, "applied as other")


@pytest.mark.parametrize(
    ("options", "versions"),
    [
        (ApplyOptions(), [2, 3, 4]),
        (ApplyOptions(to=3), [2, 3]),
        (ApplyOptions(to=1), []),
        (ApplyOptions(step=2), [2, 3]),
        (ApplyOptions(to=4, step=1), [2]),
    ],
)
def test_a_run_stops_at_the_requested_version(options: ApplyOptions, versions: list[int]) -> None:
    found = compare_statuses([file(n) for n in (1, 2, 3, 4)], [row(1)])

    assert [migration.version for migration in plan_run(found, options).to_apply] == versions


def test_an_interrupted_file_is_resumed_only_on_request() -> None:
    found = compare_statuses([file(1), file(2)], [row(1, finished=False)])
    with pytest.raises(RefusedMigrationError, match="interrupted"):
        plan_run(found, ApplyOptions())

    resumed = plan_run(found, ApplyOptions(resume=True))

    assert [migration.version for migration in resumed.to_apply] == [1, 2]
    assert resumed.resumed == {1}


def test_a_file_that_came_late_runs_only_on_request() -> None:
    found = compare_statuses([file(1), file(2)], [row(2)])
    with pytest.raises(RefusedMigrationError, match="out of order"):
        plan_run(found, ApplyOptions())

    assert [m.version for m in plan_run(found, ApplyOptions(allow_out_of_order=True)).to_apply] == [
        1
    ]


def test_a_missing_file_stops_a_run_only_when_later_files_are_there() -> None:
    ahead = compare_statuses([file(1)], [row(1), row(2)])
    lost = compare_statuses([file(1), file(3)], [row(1), row(2)])

    assert plan_run(ahead, ApplyOptions()).notes == ("the database is ahead of these files: 2_f2",)
    with pytest.raises(RefusedMigrationError, match="2_f2 is missing"):
        plan_run(lost, ApplyOptions())


def test_an_unknown_version_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as wrong:
        plan_run(compare_statuses([file(n) for n in range(1, 9)], []), ApplyOptions(to=99))

    assert wrong.value.why == "there are 1, 2, 3, 4, 5 and 3 more"


def test_five_thousand_files_are_planned_quickly() -> None:
    files = [file(n) for n in range(5000)]
    rows = [row(n) for n in range(4900)]
    began = time.process_time()

    planned = plan_run(compare_statuses(files, rows), ApplyOptions())

    assert len(planned.to_apply) == 100
    assert time.process_time() - began < 0.3
