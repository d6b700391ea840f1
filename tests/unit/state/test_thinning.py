"""Samples stay bounded: the older, the fewer."""

from datetime import timedelta

from opsctl.state import Store
from opsctl.state.model import Sample
from opsctl.systems.clock import Clock

HOUR = timedelta(hours=1)


def test_a_series_is_thinned_with_age_and_ends(store: Store, clock: Clock) -> None:
    now = clock.now()
    with store.transaction():
        for minutes in range(0, 5 * 24 * 60, 2):
            store.samples.record(Sample("a", now - timedelta(minutes=minutes), minutes))
        for days in range(10, 500, 5):
            store.samples.record(Sample("a", now - timedelta(days=days), days))

    store.samples.thin("a", now=now)
    kept = store.samples.since("a", now - timedelta(days=1000))

    young = [sample for sample in kept if now - sample.at < 48 * HOUR]
    middle = [sample for sample in kept if 48 * HOUR <= now - sample.at < 120 * HOUR]
    assert 576 <= len(young) <= 578
    assert 72 <= len(middle) <= 74
    assert now - kept[0].at < timedelta(days=400)


def test_thinning_again_changes_nothing(store: Store, clock: Clock) -> None:
    now = clock.now()
    with store.transaction():
        for minutes in range(0, 600, 2):
            store.samples.record(Sample("a", now - timedelta(minutes=minutes), minutes))
    store.samples.thin("a", now=now)
    before = store.samples.since("a", now - 24 * HOUR)

    thinned = store.samples.thin("a", now=now)

    assert thinned == 0
    assert store.samples.since("a", now - 24 * HOUR) == before


def test_other_series_are_left_alone(store: Store, clock: Clock) -> None:
    for minutes in (1, 2, 3):
        at = clock.now() - timedelta(minutes=minutes)
        store.samples.record(Sample("a", at, 1))
        store.samples.record(Sample("ab", at, 1))

    store.samples.thin("a", now=clock.now())

    assert len(store.samples.since("ab", clock.now() - HOUR)) == 3
    assert store.samples.series("a") == ["a", "ab"]
