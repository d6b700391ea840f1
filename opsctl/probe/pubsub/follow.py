"""Counts traffic: messages and bytes per second and channel."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opsctl.systems.clock import Clock
from opsctl.systems.redis.pubsub import PubSubMessage, Subscription

_SAMPLE_BYTES = 200
MAX_CHANNELS = 10_000


@dataclass(frozen=True, slots=True)
class ChannelTraffic:
    channel: str
    messages_per_s: float
    bytes_per_s: float
    messages: int
    """Since the start."""
    silent_s: float | None
    """Since the last message; None where none was received yet."""
    sample: str = ""


@dataclass(frozen=True, slots=True)
class TrafficInterval:
    """The traffic of one interval."""

    elapsed_s: float
    messages_per_s: float
    bytes_per_s: float
    channels: tuple[ChannelTraffic, ...]
    """The busiest first; then the expected ones that were silent."""
    uncounted: int = 0
    """Messages on channels beyond the first 10,000."""


@dataclass(slots=True)
class _ChannelCounter:
    messages: int = 0
    new: int = 0
    new_bytes: int = 0
    last_at: float | None = None
    sample: bytes = b""
    by: str | None = None


@dataclass(slots=True)
class TrafficMeter:
    """Adds up what is received; expected channels are listed from the start."""

    expected: Iterable[str] = ()
    samples: bool = False
    counters: dict[str, _ChannelCounter] = field(default_factory=dict)
    uncounted: int = 0

    def __post_init__(self) -> None:
        self.counters = {channel: _ChannelCounter() for channel in self.expected}

    def add(self, message: PubSubMessage, at: float) -> None:
        counter = self.counters.get(message.channel)
        if counter is None:
            if len(self.counters) >= MAX_CHANNELS:
                self.uncounted += 1
                return
            counter = self.counters[message.channel] = _ChannelCounter()
        if counter.by not in (None, message.pattern):
            return  # The same message once more, by another pattern of ours.
        counter.by = message.pattern
        counter.messages += 1
        counter.new += 1
        counter.new_bytes += len(message.data)
        counter.last_at = at
        if self.samples:
            counter.sample = message.data[:_SAMPLE_BYTES]

    def take_interval(self, *, now: float, since: float, began: float, top: int) -> TrafficInterval:
        """Return the traffic of the interval, and start the next one."""
        passed = max(now - since, 1e-9)
        channels = sorted(
            (self._talker(name, counter, now, passed) for name, counter in self.counters.items()),
            key=lambda channel: (-channel.messages_per_s, channel.channel),
        )
        for counter in self.counters.values():
            counter.new = counter.new_bytes = 0
        return TrafficInterval(
            elapsed_s=now - began,
            messages_per_s=sum(channel.messages_per_s for channel in channels),
            bytes_per_s=sum(channel.bytes_per_s for channel in channels),
            channels=tuple(channels[:top]),
            uncounted=self.uncounted,
        )

    def _talker(
        self, name: str, counter: _ChannelCounter, now: float, passed: float
    ) -> ChannelTraffic:
        return ChannelTraffic(
            channel=name,
            messages_per_s=counter.new / passed,
            bytes_per_s=counter.new_bytes / passed,
            messages=counter.messages,
            silent_s=None if counter.last_at is None else now - counter.last_at,
            sample=counter.sample.decode(errors="backslashreplace"),
        )


@dataclass(frozen=True, slots=True)
class FollowOptions:
    every_s: float = 1.0
    for_s: float | None = None
    """None: until interrupted."""
    top: int = 10


def follow_traffic(
    subscription: Subscription, meter: TrafficMeter, clock: Clock, pace: FollowOptions
) -> Iterator[TrafficInterval]:
    """Subscribe, and yield the traffic of every interval."""
    began = since = clock.steady()
    while True:
        end = since + pace.every_s
        while (left := end - clock.steady()) > 0:
            message = subscription.receive(left)
            if message is not None:
                meter.add(message, clock.steady())
        now = clock.steady()
        yield meter.take_interval(now=now, since=since, began=began, top=pace.top)
        since = now
        if pace.for_s is not None and now - began >= pace.for_s:
            return
