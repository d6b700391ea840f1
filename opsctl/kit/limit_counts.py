"""What a limiter knows without asking: whom to ask, how, and what the answer means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from opsctl.errors import OpsctlError
from opsctl.kit.errors import LimitedError
from opsctl.kit.limit_gate import LOCAL, Ask, Gate, Policy, Way
from opsctl.kit.limit_log import LocalLogs
from opsctl.kit.presence import LONGEST_PAUSE_S
from opsctl.kit.rates import Rate, as_kept, share_of
from opsctl.logs import logger
from opsctl.systems.clock import Clock
from opsctl.systems.redis.target import Command, Word

log = logger(__name__)

_MICROS = 1_000_000
_REMEMBERED = 4096
_REGISTRY_TTL_S = 30 * 86_400
_NEVER_GRANT = -1.0
_TRUST = -1

AfterRestart = Literal["wait", "trust"]


class Decision(NamedTuple):
    allowed: bool
    remaining: int
    """Calls that would be allowed right after this one."""
    retry_after: float
    """Seconds until a refused call has a chance; 0 for an allowed one."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What holds while Redis is away, or does not serve the limiter."""

    when_away: Policy = LOCAL
    processes: int = 4
    """Among how many processes a limit is divided."""
    after_restart: AfterRestart = "wait"
    """A Redis that restarted may have forgotten calls: wait for a window, or trust that it did not.

    A process that was served before never trusts, whatever this says.
    """


@dataclass(frozen=True, slots=True)
class Answer:
    granted: bool
    remaining: int
    delay_s: float
    """Until the granted call may be made, or until a refused one has a chance."""
    may_change: bool = False
    """Refused only because nobody could be asked."""

    @property
    def decision(self) -> Decision:
        return Decision(self.granted, self.remaining, 0.0 if self.granted else self.delay_s)

    def pause_s(self, rate: Rate, left_s: float) -> float:
        """Say how long to wait for the call, or until asking again; refuse what is too far."""
        if self.granted or (self.may_change and left_s > 0):
            return self.delay_s if self.granted else min(self.delay_s, left_s)
        raise LimitedError(
            f"the limit {rate} has no room in time",
            retry_after_s=self.delay_s,
            why="Redis is away and the limit closed" if self.may_change else "it is used up",
        )


class Counts:
    def __init__(self, prefix: str, clock: Clock, policies: Policies, *, enabled: bool) -> None:
        self._prefix = prefix
        self._clock = clock
        self._policies = policies
        self._grace = _grace(policies)
        self._gate = Gate(policies.when_away, enabled=enabled)
        self._logs = LocalLogs()
        self._announced: set[Rate] = set()
        self._log_ends: dict[str, int] = {}
        self._in_trouble = False

    def way(self, rate: Rate, *, there: bool) -> Way:
        return self._gate.way(rate, self._clock.steady(), there=there)

    def question(
        self, rate: Rate, way: Way, patience_s: float
    ) -> tuple[Sequence[str], Sequence[Word]]:
        """Put it as the script's keys and arguments."""
        kept = as_kept(rate)
        key = key_of(self._prefix, rate)
        patience_s = _NEVER_GRANT if way.ask is Ask.PEEK else patience_s
        known = self._log_ends.get(key, 0)
        numbers = (_micros(kept.window_s), _micros(patience_s), known, self._grace)
        return (key,), (kept.limit, *numbers)

    def read(self, rate: Rate, reply: Any) -> Answer:  # noqa: ANN401 - as Redis answers
        granted, remaining, delay, ends = reply
        self._remember(key_of(self._prefix, rate), ends)
        self._gate.served(self._clock.steady())
        if self._in_trouble:
            self._in_trouble = False
            log.warning("limits are shared again", extra={"prefix": self._prefix})
        return Answer(bool(granted), remaining, delay / _MICROS)

    def failed(self, error: OpsctlError) -> None:
        """Note that Redis did not serve; said once, until it does again."""
        self._gate.failed(self._clock.steady())
        self._announced.clear()
        if not self._in_trouble:
            self._in_trouble = True
            facts = {"policy": self._policies.when_away, "what": error.what, "why": error.why}
            log.warning("limits are not shared", extra={"prefix": self._prefix, **facts})

    def alone(self, rate: Rate, way: Way, patience_s: float) -> Answer:
        """Answer without Redis, as the policy has it."""
        if way.ask is Ask.EVERYBODY:
            return Answer(granted=True, remaining=rate.limit, delay_s=0.0)
        if way.ask is Ask.NOBODY:
            return Answer(granted=False, remaining=0, delay_s=way.shut_s, may_change=True)
        share = share_of(as_kept(rate), self._policies.processes)
        slot = self._logs.take(share, self._clock.steady(), patience_s=patience_s)
        return Answer(slot.granted, slot.remaining, slot.delay_s)

    def news(self, rate: Rate) -> Sequence[Command]:
        """Commands that tell the terminal of this rate; none if it was told."""
        named = rate.of("") if rate.subject else rate
        if named in self._announced:
            return ()
        self._announced.add(named)
        registry = registry_of(self._prefix)
        said = f"{rate.limit}/{rate.window_s:g}"
        return (("HSET", registry, rate.name, said), ("EXPIRE", registry, _REGISTRY_TTL_S))

    def _remember(self, key: str, ends: int) -> None:
        if len(self._log_ends) >= _REMEMBERED:
            # The oldest half has ended long ago, or will be known again at the next call.
            for old in list(self._log_ends)[: _REMEMBERED // 2]:
                self._log_ends.pop(old, None)
        self._log_ends[key] = ends


def key_of(prefix: str, rate: Rate) -> str:
    return f"{prefix}:limit:{rate.name}" + (f":{rate.subject}" if rate.subject else "")


def registry_of(prefix: str) -> str:
    return f"{prefix}:limits"


def _grace(policies: Policies) -> int:
    """How long after a restart others may still use their share, in the script's words."""
    if policies.after_restart == "trust":
        return _TRUST
    return _micros(LONGEST_PAUSE_S) if policies.when_away == LOCAL else 0


def _micros(seconds: float) -> int:
    return math.ceil(seconds * _MICROS)
