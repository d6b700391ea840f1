"""The audit keeps every action, also those that were killed, and nobody rewrites it."""

from contextlib import suppress
from pathlib import Path

import pytest

from opsctl.errors import InterruptedRunError, OpsctlError, RefusedError
from opsctl.state import Store
from opsctl.state.model import Action, Actor, AuditEntry, AuditOutcome, Release, ReleaseStep
from opsctl.systems.clock import Clock
from opsctl.systems.sqlite.database import SqliteDatabases


def action(actor: Actor, *, env: str = "prod") -> Action:
    return Action(actor, env, "up", "web", {"git_sha": "abc123"})


def outcomes(store: Store) -> list[AuditOutcome]:
    return [entry.outcome for entry in reversed(store.audit.entries())]


def test_an_action_is_an_intent_and_an_outcome_under_one_id(
    store: Store, actor: Actor, clock: Clock
) -> None:
    with store.audit.action(action(actor), clock=clock) as action_id:
        clock.sleep(3)

    done, started = store.audit.entries()
    assert (started.action_id, done.action_id) == (action_id, action_id)
    assert (started.outcome, done.outcome) == (AuditOutcome.STARTED, AuditOutcome.DONE)
    assert (done.at - started.at).total_seconds() == 3
    assert (started.who, started.pid, started.env) == ("op@box", 4242, "prod")
    assert (started.command, started.target) == ("up", "web")
    assert started.details == {"git_sha": "abc123"}


def test_the_user_behind_sudo_is_recorded(store: Store, clock: Clock) -> None:
    behind = Actor(user="root", host="box", pid=1, sudo_user="op")

    with store.audit.action(action(behind), clock=clock):
        pass

    assert {entry.sudo_user for entry in store.audit.entries()} == {"op"}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OpsctlError("x"), AuditOutcome.FAILED),
        (RefusedError("x"), AuditOutcome.REFUSED),
        (InterruptedRunError("x"), AuditOutcome.INTERRUPTED),
        (KeyboardInterrupt(), AuditOutcome.INTERRUPTED),
        (ZeroDivisionError(), AuditOutcome.FAILED),
    ],
)
def test_each_outcome_is_recorded(
    store: Store, actor: Actor, clock: Clock, error: BaseException, outcome: AuditOutcome
) -> None:
    with pytest.raises(type(error)), store.audit.action(action(actor), clock=clock):
        raise error

    assert outcomes(store) == [AuditOutcome.STARTED, outcome]
    assert store.audit.entries()[0].details["error"] == type(error).__name__


def test_the_words_of_a_foreign_error_are_not_kept(
    store: Store, actor: Actor, clock: Clock
) -> None:
    with suppress(ValueError), store.audit.action(action(actor), clock=clock):
        raise ValueError("postgres://op:canary@db")

    assert "canary" not in str(store.audit.entries())


def test_the_error_reaches_the_user_even_if_its_outcome_cannot_be_recorded(
    store: Store, actor: Actor, clock: Clock
) -> None:
    with (
        pytest.raises(OpsctlError, match="the trouble itself"),
        store.audit.action(action(actor), clock=clock),
    ):
        close_and_fail(store)


def close_and_fail(store: Store) -> None:
    store.close()
    raise OpsctlError("the trouble itself")


def test_an_action_that_was_killed_is_listed_as_unfinished(
    store: Store, actor: Actor, clock: Clock
) -> None:
    for env in ("prod", "dev"):
        with store.audit.action(action(actor, env=env), clock=clock):
            pass
    killed = store.audit.action(action(actor, env="dev"), clock=clock)
    action_id = killed.__enter__()

    assert [each.action_id for each in store.audit.unfinished()] == [action_id]
    assert [each.action_id for each in store.audit.unfinished(env="dev")] == [action_id]
    assert store.audit.unfinished(env="prod") == []


def test_entries_are_newest_first_of_one_environment_or_all(
    store: Store, actor: Actor, clock: Clock
) -> None:
    for env in ("prod", "dev"):
        with store.audit.action(action(actor, env=env), clock=clock):
            pass

    assert [each.env for each in store.audit.entries()] == ["dev", "dev", "prod", "prod"]
    assert {each.env for each in store.audit.entries(env="prod")} == {"prod"}
    assert len(store.audit.entries(limit=1)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'done'",
        "UPDATE audit SET who = 'nobody@nowhere' WHERE number = 1",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit",
        "REPLACE INTO audit SELECT number + 9, action_id, at, 'nobody', sudo_user, pid, env,"
        " command, target, outcome, details FROM audit",
        "UPDATE release_steps SET event = 'done'",
        "DELETE FROM release_steps",
        "INSERT OR REPLACE INTO release_steps SELECT * FROM release_steps",
    ],
)
def test_nobody_rewrites_what_was_recorded(
    directory: Path, databases: SqliteDatabases, recorded: list[AuditEntry], statement: str
) -> None:
    database = databases.open(directory / "state.db")

    with pytest.raises(RefusedError) as caught:
        database.execute(statement)
    left = database.query("SELECT who FROM audit")
    database.close()

    assert "is append-only" in caught.value.why
    assert [row["who"] for row in left] == [entry.who for entry in recorded]


@pytest.fixture
def recorded(store: Store, actor: Actor, clock: Clock) -> list[AuditEntry]:
    with store.audit.action(action(actor), clock=clock):
        store.releases.begin(Release("r1", "prod", clock.now(), "abc", "Subject", "op@box"))
        store.releases.record_step(ReleaseStep("r1", clock.now(), "web", "started"))
    return list(store.audit.entries())
