from collections.abc import Sequence

import pytest

from opsctl.errors import UnreachableError
from opsctl.findings import Level
from opsctl.probe.pubsub.canary import send_canary
from opsctl.probe.pubsub.follow import MAX_CHANNELS, FollowOptions, TrafficMeter, follow_traffic
from opsctl.systems.redis.pubsub import PubSubMessage
from tests.fakes.clock import HandClock
from tests.fakes.redis import MemoryRedis


class ToldFeed:
    """Hands out what it was given, one message each 100 ms."""

    def __init__(self, clock: HandClock, messages: Sequence[PubSubMessage] = ()) -> None:
        self._clock = clock
        self._messages = list(messages)

    def receive(self, wait_s: float) -> PubSubMessage | None:
        if self._messages:
            self._clock.sleep(0.1)
            return self._messages.pop(0)
        self._clock.sleep(wait_s)
        return None

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_rates_are_of_the_interval_and_the_busiest_comes_first() -> None:
    clock = HandClock()
    loud = [PubSubMessage("loud", b"12345", "*")] * 4
    feed = ToldFeed(clock, [*loud, PubSubMessage("quiet", b"1", "*")])

    beats = list(follow_traffic(feed, TrafficMeter(("never",)), clock, FollowOptions(1.0, 2.0)))

    first, second = beats
    assert [channel.channel for channel in first.channels] == ["loud", "quiet", "never"]
    assert (first.messages_per_s, first.bytes_per_s) == (5.0, 21.0)
    assert (second.messages_per_s, second.channels[0].messages) == (0.0, 4)
    assert first.channels[2].silent_s is None


def test_one_message_received_by_two_patterns_is_counted_once() -> None:
    meter = TrafficMeter()
    for pattern in ("t*", "ticker.*", "t*", "ticker.*"):
        meter.add(PubSubMessage("ticker.kr", b"x", pattern), 0.0)

    assert meter.take_interval(now=1.0, since=0.0, began=0.0, top=9).channels[0].messages == 2


def test_payloads_are_kept_only_on_demand_and_cut() -> None:
    for samples, kept in ((False, ""), (True, "\\xff" + "a" * 199)):
        meter = TrafficMeter(samples=samples)
        meter.add(PubSubMessage("c", b"\xff" + b"a" * 999, None), 0.0)

        assert meter.take_interval(now=1.0, since=0.0, began=0.0, top=9).channels[0].sample == kept


def test_endless_channel_names_do_not_fill_the_memory() -> None:
    meter = TrafficMeter()
    for index in range(MAX_CHANNELS + 5):
        meter.add(PubSubMessage(f"c{index}", b""), 0.0)

    assert len(meter.counters) == MAX_CHANNELS
    assert meter.take_interval(now=1.0, since=0.0, began=0.0, top=1).uncounted == 5


def published(clock: HandClock, token: str) -> MemoryRedis:
    return MemoryRedis(clock, answers={("PUBLISH", "canary", token): 1})


def test_the_canary_is_known_by_its_token() -> None:
    clock = HandClock()
    token = f"{clock.now().timestamp():.6f}"
    messages = [PubSubMessage("canary", b"another's"), PubSubMessage("canary", token.encode())]
    feed = ToldFeed(clock, messages)
    finding = send_canary(
        published(clock, token), lambda: feed, channel="canary", wait_s=1, clock=clock
    )

    assert finding.level is Level.OK
    assert finding.figures[0].value == pytest.approx(200)


def test_a_canary_that_stays_away_is_critical() -> None:
    clock = HandClock()
    redis = published(clock, f"{clock.now().timestamp():.6f}")

    finding = send_canary(redis, lambda: ToldFeed(clock), channel="canary", wait_s=1, clock=clock)

    assert finding.level is Level.CRITICAL
    assert "did not return within 1 s" in finding.what


def test_a_canary_that_cannot_start_says_why() -> None:
    clock = HandClock()

    def refuse() -> ToldFeed:
        raise UnreachableError("no answer", why="refused")

    finding = send_canary(MemoryRedis(clock), refuse, channel="canary", wait_s=1, clock=clock)

    assert (finding.level, finding.what) == (Level.CRITICAL, "no answer: refused")
