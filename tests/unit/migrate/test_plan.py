"""Where each version stands, and what a run does about it."""

import time

import pytest

from opsctl.errors import UsageError
from opsctl.migrate.model import Applied, Migration, Order, RefusedMigrationError, State
from opsctl.migrate.plan import plan, standings


def file(version: int, checksum: str = "sum") -> Migration:
    return Migration(version, f"f{version}", f"{version:03}_f{version}.sql", checksum)


def row(version: int, checksum: str = "sum", *, finished: bool = True) -> Applied:
    return Applied(version, f"f{version}", checksum, finished)


def states(files: list[Migration], rows: list[Applied]) -> dict[int, State]:
    return {standing.version: standing.state for standing in standings(files, rows)}


def test_files_and_rows_are_laid_beside_each_other() -> None:
    found = states(
        [file(1), file(2, "new"), file(3), file(5), file(6)],
        [row(1), row(2, "old"), row(4), row(5, finished=False)],
    )

    assert found == {
        1: State.APPLIED,
        2: State.EDITED,
        3: State.OUT_OF_ORDER,
        4: State.MISSING,
        5: State.INTERRUPTED,
        6: State.PENDING,
    }


def test_nothing_at_all_is_nothing_to_do() -> None:
    assert plan(standings([], []), Order()).todo == ()


def test_a_renamed_file_is_still_applied() -> None:
    (standing,) = standings([file(1)], [Applied(1, "other", "sum")])

    assert (standing.state, standing.note) == (State.APPLIED, "applied as other")


@pytest.mark.parametrize(
    ("order", "versions"),
    [
        (Order(), [2, 3, 4]),
        (Order(to=3), [2, 3]),
        (Order(to=1), []),
        (Order(step=2), [2, 3]),
        (Order(to=4, step=1), [2]),
    ],
)
def test_a_run_ends_where_it_is_told_to(order: Order, versions: list[int]) -> None:
    found = standings([file(n) for n in (1, 2, 3, 4)], [row(1)])

    assert [migration.version for migration in plan(found, order).todo] == versions


def test_an_interrupted_file_is_resumed_only_on_request() -> None:
    found = standings([file(1), file(2)], [row(1, finished=False)])
    with pytest.raises(RefusedMigrationError, match="interrupted"):
        plan(found, Order())

    resumed = plan(found, Order(resume=True))

    assert [migration.version for migration in resumed.todo] == [1, 2]
    assert resumed.resumed == {1}


def test_a_file_that_came_late_runs_only_on_request() -> None:
    found = standings([file(1), file(2)], [row(2)])
    with pytest.raises(RefusedMigrationError, match="out of order"):
        plan(found, Order())

    assert [m.version for m in plan(found, Order(allow_out_of_order=True)).todo] == [1]


def test_a_missing_file_stops_a_run_only_when_later_files_are_there() -> None:
    ahead = standings([file(1)], [row(1), row(2)])
    lost = standings([file(1), file(3)], [row(1), row(2)])

    assert plan(ahead, Order()).notes == ("the database is ahead of these files: 2_f2",)
    with pytest.raises(RefusedMigrationError, match="2_f2 is missing"):
        plan(lost, Order())


def test_a_goal_that_does_not_exist_lists_what_does() -> None:
    with pytest.raises(UsageError) as wrong:
        plan(standings([file(n) for n in range(1, 9)], []), Order(to=99))

    assert wrong.value.why == "there are 1, 2, 3, 4, 5 and 3 more"


def test_five_thousand_files_are_planned_in_a_blink() -> None:
    files = [file(n) for n in range(5000)]
    rows = [row(n) for n in range(4900)]
    began = time.process_time()

    planned = plan(standings(files, rows), Order())

    assert len(planned.todo) == 100
    assert time.process_time() - began < 0.3
