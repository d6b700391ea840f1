"""200 writers are killed at random points; what they acknowledged is there, and complete."""

import os
import random
import signal
from collections.abc import Iterable
from pathlib import Path

from opsctl.state import Locks, open_store
from opsctl.state.model import Actor
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.integration.state.conftest import Program, WriterPrograms
from tests.integration.state.writers import WriteOrder, WriterEnd

ROUNDS = 50  # of two writers each
MAKING_S = 0.012  # about twice what it takes to make a store


def lost(directory: Path, databases: SqliteDatabases, acknowledged: Iterable[str]) -> list[str]:
    """List what was acknowledged and is not there with both of its rows."""
    with open_store(directory, databases) as store:
        return [
            name
            for name in acknowledged
            if store.releases.find(name) is None or len(store.releases.steps(name)) != 1
        ]


def damage(directory: Path, databases: SqliteDatabases) -> list[str]:
    """List what SQLite finds wrong, and records of which only a part is there."""
    database = databases.open(directory / "state.db")
    found = [row["integrity_check"] for row in database.query("PRAGMA integrity_check")]
    torn = database.query(
        "SELECT id FROM releases WHERE id NOT IN (SELECT release_id FROM release_steps)"
    )
    database.close()
    return [text for text in found if text != "ok"] + [row["id"] for row in torn]


def assert_killed(ends: list[WriterEnd]) -> None:
    assert [os.WTERMSIG(end.status) for end in ends] == [signal.SIGKILL] * len(ends)


def test_a_store_survives_100_kills_while_it_is_made(
    tmp_path: Path, databases: SqliteDatabases, writer_programs: WriterPrograms
) -> None:
    unmade = 0

    for number in range(ROUNDS):
        directory = tmp_path / f"{number}"
        delay_s = MAKING_S * number / ROUNDS
        orders = [WriteOrder(str(directory), name, delay_s=delay_s) for name in ("a", "b")]
        ends = writer_programs.run(orders)
        unmade += not any(end.acknowledged for end in ends)

        assert_killed(ends)
        assert lost(directory, databases, ends[0].acknowledged + ends[1].acknowledged) == []
        assert damage(directory, databases) == []

    assert unmade > 0


def test_a_store_survives_100_kills_while_it_is_written(
    directory: Path, databases: SqliteDatabases, writer_programs: WriterPrograms
) -> None:
    acknowledged: list[str] = []

    for number in range(ROUNDS):
        orders = [
            WriteOrder(
                str(directory),
                f"{name}{number}",
                acknowledgements=random.randint(1, 8),  # noqa: S311 - no secret
                delay_s=random.uniform(0, 0.004),  # noqa: S311 - no secret
            )
            for name in ("a", "b")
        ]
        ends = writer_programs.run(orders)
        acknowledged += ends[0].acknowledged + ends[1].acknowledged

        assert_killed(ends)
        assert damage(directory, databases) == []

    assert len(acknowledged) >= 2 * ROUNDS
    assert lost(directory, databases, acknowledged) == []


def test_two_processes_make_and_write_one_fresh_store_at_once(
    tmp_path: Path, databases: SqliteDatabases, writer_programs: WriterPrograms
) -> None:
    for number in range(10):
        directory = tmp_path / f"{number}"
        ends = writer_programs.run(
            [WriteOrder(str(directory), name, writes=10) for name in ("a", "b")]
        )

        assert [end.status for end in ends] == [0, 0]
        acknowledged = ends[0].acknowledged + ends[1].acknowledged
        assert len(acknowledged) == 20
        assert lost(directory, databases, acknowledged) == []


def test_a_killed_holder_frees_the_lock_while_its_child_lives_on(
    directory: Path, holders: list[Program]
) -> None:
    first, second, _ = holders
    assert first.ask("take") == "taken"
    child = int(first.ask("child"))

    try:
        assert second.ask("take").startswith(f"busy held by op@box (pid {first.process.pid})")
        first.process.kill()
        first.process.wait(timeout=10)
        os.kill(child, 0)
        left = (directory / "deploy-prod.lock").read_text()
        holder = locks_in(directory).holder("deploy-prod")
        taken = second.ask("take")
    finally:
        os.kill(child, signal.SIGKILL)

    assert str(first.process.pid) in left
    assert holder is None
    assert taken == "taken"


def locks_in(directory: Path) -> Locks:
    return Locks(directory, LocalFiles(), SystemClock(), Actor("op", "box", os.getpid()))


def test_of_simultaneous_takers_exactly_one_wins_and_the_others_learn_who(
    directory: Path, holders: list[Program]
) -> None:
    for _ in range(5):
        for holder in holders:
            holder.send("take")
        answers = [holder.receive() for holder in holders]
        winner = holders[answers.index("taken")]

        assert answers.count("taken") == 1
        busy = f"busy held by op@box (pid {winner.process.pid}) since"
        assert sum(answer.startswith(busy) for answer in answers) == 2
        assert (directory / "deploy-prod.lock").exists()
        assert [holder.ask("free") for holder in holders] == ["freed"] * 3
