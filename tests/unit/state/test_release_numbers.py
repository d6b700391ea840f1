"""Releases are ordered as they were begun, whatever the clock says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsctl.state import Store, open_store
from opsctl.state.model import Release
from opsctl.state.store import SCHEMA
from opsctl.systems.sqlite.database import SqliteDatabases

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def _make(name: str, hours: float) -> Release:
    return Release(name, "prod", NOON + timedelta(hours=hours), "abc", "Subject", "op@box")


def test_a_clock_that_went_back_does_not_change_the_order(store: Store) -> None:
    for name, hours in (("first", 0), ("in-2036", 90_000), ("an-hour-back", -1)):
        store.releases.begin(_make(name, hours))

    found = store.releases.recent(env="prod")

    assert [release.id for release in found] == ["an-hour-back", "in-2036", "first"]
    assert [release.number for release in found] == [3, 2, 1]


def test_releases_are_listed_by_their_outcome(store: Store) -> None:
    for number, outcome in enumerate(("done", "failed", "done")):
        store.releases.begin(_make(f"r{number}", number))
        store.releases.finish(f"r{number}", at=NOON, outcome=outcome, details={})

    assert [found.id for found in store.releases.recent(outcome="done")] == ["r2", "r0"]


def test_an_older_store_keeps_the_order_in_which_its_releases_were_begun(
    tmp_path: Path, directory: Path, databases: SqliteDatabases
) -> None:
    old = tmp_path / "schema"
    old.mkdir()
    for script in sorted(SCHEMA.iterdir())[:2]:
        (old / script.name).write_text(script.read_text())
    open_store(directory, databases, schema=old).close()
    insert = "INSERT INTO releases VALUES (?, 'prod', ?, NULL, '', '', '', 'done', '{}')"
    database = databases.open(directory / "state.db")
    for name, day in (("first", "2036-01-01"), ("second", "2026-01-01")):
        database.execute(insert, (name, f"{day}T00:00:00.000000+00:00"))
    database.close()

    with open_store(directory, databases) as store:
        store.releases.begin(_make("third", -90_000))
        found = [release.id for release in store.releases.recent()]

    assert found == ["third", "second", "first"]
