"""Counts what flows: messages and bytes a second by channel, and who talks most."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opsctl.systems.clock import Clock
from opsctl.systems.redis.pubsub import PubSubMessage, Subscription

_SAMPLE_BYTES = 200
MOST_CHANNELS = 10_000


@dataclass(frozen=True, slots=True)
class Talker:
    channel: str
    messages_per_s: float
    bytes_per_s: float
    messages: int
    """Since the start."""
    silent_s: float | None
    """Since the last message; None where none was heard yet."""
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """One interval of what was heard."""

    passed_s: float
    messages_per_s: float
    bytes_per_s: float
    talkers: tuple[Talker, ...]
    """The loudest first; then the expected ones that were silent."""
    uncounted: int = 0
    """Messages on channels beyond the first 10,000."""


@dataclass(slots=True)
class _Tally:
    messages: int = 0
    new: int = 0
    new_bytes: int = 0
    last_at: float | None = None
    sample: bytes = b""
    by: str | None = None


@dataclass(slots=True)
class Meter:
    """Adds up what is heard; expected channels are there from the start."""

    expected: Iterable[str] = ()
    samples: bool = False
    tallies: dict[str, _Tally] = field(default_factory=dict)
    uncounted: int = 0

    def __post_init__(self) -> None:
        self.tallies = {channel: _Tally() for channel in self.expected}

    def add(self, message: PubSubMessage, at: float) -> None:
        tally = self.tallies.get(message.channel)
        if tally is None:
            if len(self.tallies) >= MOST_CHANNELS:
                self.uncounted += 1
                return
            tally = self.tallies[message.channel] = _Tally()
        if tally.by not in (None, message.pattern):
            return  # The same message once more, by another pattern of ours.
        tally.by = message.pattern
        tally.messages += 1
        tally.new += 1
        tally.new_bytes += len(message.data)
        tally.last_at = at
        if self.samples:
            tally.sample = message.data[:_SAMPLE_BYTES]

    def beat(self, *, now: float, since: float, began: float, top: int) -> Beat:
        """Say what the interval held, and start the next one."""
        passed = max(now - since, 1e-9)
        talkers = sorted(
            (self._talker(name, tally, now, passed) for name, tally in self.tallies.items()),
            key=lambda talker: (-talker.messages_per_s, talker.channel),
        )
        for tally in self.tallies.values():
            tally.new = tally.new_bytes = 0
        return Beat(
            passed_s=now - began,
            messages_per_s=sum(talker.messages_per_s for talker in talkers),
            bytes_per_s=sum(talker.bytes_per_s for talker in talkers),
            talkers=tuple(talkers[:top]),
            uncounted=self.uncounted,
        )

    def _talker(self, name: str, tally: _Tally, now: float, passed: float) -> Talker:
        return Talker(
            channel=name,
            messages_per_s=tally.new / passed,
            bytes_per_s=tally.new_bytes / passed,
            messages=tally.messages,
            silent_s=None if tally.last_at is None else now - tally.last_at,
            sample=tally.sample.decode(errors="backslashreplace"),
        )


@dataclass(frozen=True, slots=True)
class Pace:
    every_s: float = 1.0
    for_s: float | None = None
    """None: until interrupted."""
    top: int = 10


def follow(subscription: Subscription, meter: Meter, clock: Clock, pace: Pace) -> Iterator[Beat]:
    """Listen, and say every interval what flowed."""
    began = since = clock.steady()
    while True:
        end = since + pace.every_s
        while (left := end - clock.steady()) > 0:
            message = subscription.receive(left)
            if message is not None:
                meter.add(message, clock.steady())
        now = clock.steady()
        yield meter.beat(now=now, since=since, began=began, top=pace.top)
        since = now
        if pace.for_s is not None and now - began >= pace.for_s:
            return
