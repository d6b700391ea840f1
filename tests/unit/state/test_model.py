"""Releases, job runs, alerts, samples and the watchdog: each gives back what it was given."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from opsctl.errors import OpsctlError
from opsctl.state import Store
from opsctl.state.model import (
    Guarded,
    GuardEvent,
    JobRun,
    JobState,
    Release,
    ReleaseStep,
    Sample,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def release(number: int, *, env: str = "prod") -> Release:
    return Release(
        id=f"r{number}",
        env=env,
        started_at=later(number),
        git_sha="abc123",
        git_subject="Größe: `x` 🚀",
        who="op@box",
        details={"images": {"web": "sha256:1"}},
        number=number,
    )


def test_a_release_comes_back_as_it_was_begun(store: Store) -> None:
    store.releases.begin(release(1))

    assert store.releases.find("r1") == release(1)
    assert store.releases.find("r2") is None


def test_a_finished_release_says_how_and_when(store: Store) -> None:
    store.releases.begin(release(1))

    store.releases.finish("r1", at=later(60), outcome="done", details={"schema": 7})

    found = store.releases.find("r1")
    assert found is not None
    assert (found.finished_at, found.outcome, found.details) == (later(60), "done", {"schema": 7})


def test_a_release_that_was_never_begun_cannot_be_finished(store: Store) -> None:
    with pytest.raises(OpsctlError, match="cannot finish release r9"):
        store.releases.finish("r9", at=NOON, outcome="done", details={})


def test_recent_releases_are_newest_first_of_one_environment_or_all(store: Store) -> None:
    for number, env in ((1, "prod"), (2, "dev"), (3, "prod")):
        store.releases.begin(release(number, env=env))

    assert [each.id for each in store.releases.recent()] == ["r3", "r2", "r1"]
    assert [each.id for each in store.releases.recent(env="prod")] == ["r3", "r1"]
    assert [each.id for each in store.releases.recent(limit=1)] == ["r3"]


def test_steps_are_listed_as_they_happened(store: Store) -> None:
    store.releases.begin(release(1))
    steps = [
        ReleaseStep("r1", later(1), "web", "started", {"reason": "image differs"}),
        ReleaseStep("r1", later(2), "web", "done"),
    ]

    for step in steps:
        store.releases.record_step(step)

    assert store.releases.steps("r1") == steps


def test_a_step_of_no_known_release_is_refused(store: Store) -> None:
    with pytest.raises(OpsctlError, match="cannot use"):
        store.releases.record_step(ReleaseStep("r9", NOON, "web", "started"))


def run(*, state: JobState = JobState.RUNNING, second: float = 0) -> JobRun:
    return JobRun("backup", later(second), state, started_at=later(second), details={"pid": 7})


def test_a_scheduled_time_is_claimed_once_whatever_its_zone(store: Store) -> None:
    berlin = timezone(timedelta(hours=1))
    same = JobRun("backup", NOON.astimezone(berlin), JobState.RUNNING)

    assert store.jobs.claim(run())
    assert not store.jobs.claim(same)
    assert store.jobs.history() == [run()]


def test_a_finished_run_says_how_and_is_no_longer_running(store: Store) -> None:
    store.jobs.claim(run())

    store.jobs.finish(run(), at=later(5), state=JobState.FAILED, exit_code=2)

    (found,) = store.jobs.history("backup")
    assert (found.state, found.finished_at, found.exit_code) == (JobState.FAILED, later(5), 2)
    assert store.jobs.running() == []


def test_a_run_is_finished_once(store: Store) -> None:
    store.jobs.claim(run())
    store.jobs.finish(run(), at=later(5), state=JobState.ABANDONED)

    with pytest.raises(OpsctlError, match="cannot finish the run of backup"):
        store.jobs.finish(run(), at=later(6), state=JobState.DONE)

    assert store.jobs.history()[0].state is JobState.ABANDONED


def test_running_lists_what_was_begun_and_history_is_newest_first(store: Store) -> None:
    store.jobs.claim(run(second=1))
    store.jobs.claim(run(second=2, state=JobState.MISSED))

    assert [each.scheduled_utc for each in store.jobs.running()] == [later(1)]
    assert [each.scheduled_utc for each in store.jobs.history()] == [later(2), later(1)]
    assert store.jobs.history("other") == []


def test_an_alert_counts_until_it_is_cleared_and_then_starts_anew(store: Store) -> None:
    def seen(second: float) -> tuple[int, datetime, datetime]:
        alert = store.alerts.raise_alert(
            "disk:/", severity="warning", summary="81 % used", at=later(second)
        )
        return alert.count, alert.first_seen, alert.last_seen

    first, again = seen(0), seen(1)
    cleared = store.alerts.clear("disk:/", at=later(2))
    anew = seen(3)

    assert first == (1, NOON, NOON)
    assert again == (2, NOON, later(1))
    assert cleared is not None
    assert (cleared.raised, cleared.count, cleared.last_seen) == (False, 2, later(2))
    assert anew == (1, later(3), later(3))


def test_clearing_what_was_not_raised_reports_nothing(store: Store) -> None:
    store.alerts.raise_alert("disk:/", severity="warning", summary="81 % used", at=NOON)
    store.alerts.clear("disk:/", at=later(1))

    assert store.alerts.clear("disk:/", at=later(2)) is None
    assert store.alerts.clear("unknown", at=later(2)) is None
    assert store.alerts.raised() == []


def test_raised_alerts_show_the_latest_severity_and_summary(store: Store) -> None:
    store.alerts.raise_alert("disk:/", severity="warning", summary="81 % used", at=NOON)
    store.alerts.raise_alert("disk:/", severity="critical", summary="96 % used", at=later(1))

    (found,) = store.alerts.raised()

    assert (found.severity, found.summary, found.raised) == ("critical", "96 % used", True)


def test_samples_of_one_series_come_oldest_first_from_a_moment_on(store: Store) -> None:
    for second in (2, 0, 1):
        store.samples.record(Sample("disk:/", later(second), float(second)))
    store.samples.record(Sample("other", later(1), 9.0))

    found = store.samples.since("disk:/", later(1))

    assert found == [Sample("disk:/", later(1), 1.0), Sample("disk:/", later(2), 2.0)]


def test_a_second_sample_of_one_moment_replaces_the_first(store: Store) -> None:
    store.samples.record(Sample("disk:/", NOON, 1.0))
    store.samples.record(Sample("disk:/", NOON, 2.0))

    assert store.samples.since("disk:/", NOON) == [Sample("disk:/", NOON, 2.0)]


def test_a_time_without_a_zone_is_not_guessed(store: Store) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        store.samples.record(Sample("disk:/", NOON.replace(tzinfo=None), 1.0))


def test_each_service_has_one_state_the_latest(store: Store) -> None:
    store.watchdog.save(Guarded("web", "healthy", NOON))
    store.watchdog.save(Guarded("web", "safe", later(1), {"restarts": 2}))
    store.watchdog.save(Guarded("api", "healthy", NOON))

    assert store.watchdog.find("web") == Guarded("web", "safe", later(1), {"restarts": 2})
    assert store.watchdog.find("other") is None
    assert [each.service for each in store.watchdog.all()] == ["api", "web"]


def test_events_of_a_service_are_newest_first(store: Store) -> None:
    first = GuardEvent("web", NOON, "restart begun", {"level": 1})
    second = GuardEvent("web", later(1), "restart done")

    for event in (first, second, GuardEvent("api", later(2), "other")):
        store.watchdog.record(event)

    assert store.watchdog.events("web") == [second, first]
    assert store.watchdog.events("web", limit=1) == [second]
