"""Nothing is lost, nothing is sent twice, and nobody waits for a channel that is down."""

from datetime import timedelta
from itertools import pairwise

import pytest

from opsctl.notify.list_queue import list_queue
from opsctl.notify.model import Notice, SendResult, Severity
from opsctl.notify.notifier import Notifier
from opsctl.state import Store
from tests.fakes.channel import KeptChannel
from tests.fakes.clock import HandClock

DOWN = SendResult(is_accepted=False, error="it is down")


def notice(key: str, severity: Severity = Severity.WARNING) -> Notice:
    return Notice(key, "disk", severity, f"{key} is full")


def test_1000_flaps_send_at_most_one_message_per_interval(
    notifier: Notifier, channel: KeptChannel, clock: HandClock
) -> None:
    start = clock.now()
    sent: list[float] = []
    for _ in range(1000):
        notifier.report(notice("a"))
        clock.sleep(11)
        notifier.resolve("a", topic="disk", evidence="a has room")
        clock.sleep(12)
        notifier.flush(5)
        sent += [(clock.now() - start).total_seconds()] * (len(channel.messages) - len(sent))

    intervals = (clock.now() - start) / timedelta(hours=1)
    assert 2 <= len(channel.messages) <= intervals + 1
    assert all(later - sooner > 3500 for sooner, later in pairwise(sent))


def test_a_channel_that_is_down_for_an_hour_gets_all_in_order_and_once(
    notifier: Notifier, channel: KeptChannel, clock: HandClock
) -> None:
    channel.answer = DOWN
    for number in range(60):
        notifier.report(notice(f"{number:02}"))
        notifier.flush(5)
        clock.sleep(60)

    channel.answer = SendResult(is_accepted=True)
    clock.sleep(900)
    for _ in range(3):
        notifier.flush(5)

    assert [message.key for message in channel.messages] == [f"{number:02}" for number in range(60)]


def test_a_channel_that_fails_is_left_alone_for_longer_and_longer(
    notifier: Notifier, channel: KeptChannel, clock: HandClock, store: Store
) -> None:
    channel.answer = DOWN
    notifier.report(notice("a"))
    waits = []
    for _ in range(10):
        notifier.flush(5)
        until = store.deliveries.rests_until("kept")
        assert until is not None
        waits.append((until - clock.now()).total_seconds())
        clock.wall = until

    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_retry_after_of_a_channel_is_honoured(
    notifier: Notifier, channel: KeptChannel, clock: HandClock, store: Store
) -> None:
    channel.answer = SendResult(is_accepted=False, error="it answered 429", retry_after_s=120)
    notifier.report(notice("a"))

    notifier.flush(5)

    assert store.deliveries.rests_until("kept") == clock.now() + timedelta(seconds=120)


def test_a_rejected_message_is_given_up_and_listed(
    notifier: Notifier, channel: KeptChannel, clock: HandClock, store: Store
) -> None:
    channel.answer = SendResult(is_accepted=False, error="it answered 400", is_rejected=True)
    notifier.report(notice("bad"))
    for _ in range(3):
        notifier.flush(5)
        clock.sleep(3600)
    channel.answer = SendResult(is_accepted=True)
    notifier.report(notice("good"))
    notifier.flush(5)

    report = list_queue(store.deliveries, ["kept"], now=clock.now(), limit=10)

    assert [message.key for message in channel.messages] == ["good"]
    states = {message.summary: (message.status, message.error) for message in report.messages}
    assert states == {
        "good is full": ("sent", ""),
        "bad is full": ("refused", "it answered 400"),
    }


def test_messages_due_together_are_sent_as_one(notifier: Notifier, channel: KeptChannel) -> None:
    for number in range(5):
        notifier.report(notice(f"{number}"))

    notifier.flush(5)

    assert [len(bundle.messages) for bundle in channel.bundles] == [5]


def test_an_end_without_evidence_is_a_bug(notifier: Notifier) -> None:
    with pytest.raises(ValueError, match="no evidence"):
        notifier.resolve("a", topic="disk", evidence=" ")


def test_the_end_is_sent_to_those_who_got_the_problem(
    notifier: Notifier, channel: KeptChannel, clock: HandClock
) -> None:
    notifier.report(notice("a", Severity.CRITICAL))
    notifier.flush(5)
    clock.sleep(7200)
    notifier.resolve("a", topic="disk", evidence="a has room")
    notifier.flush(5)

    assert [(m.event, m.severity) for m in channel.messages] == [
        ("raised", "critical"),
        ("resolved", "critical"),
    ]
