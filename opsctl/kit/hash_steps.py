"""Hash-mapped entries of the data layer, with lives below a second: what is asked, and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.cache.model import PRESETS, Counts, seconds_of
from opsctl.kit.cache.steps import Ask, Steps
from opsctl.systems.redis.target import Command

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Health:
    healthy: bool
    source: str
    latency_ms: float = 0.0
    error: str = ""


@dataclass(slots=True)
class HashSteps:
    """Nothing is kept in memory: a price of 50 ms ago is of no use to anybody."""

    prefix: str
    lives: Mapping[str, float] = field(default_factory=lambda: PRESETS)
    counts: dict[str, Counts] = field(default_factory=dict)

    def of(self, kind: str) -> Counts:
        """Count by kind; kinds are the names of lives, so that their number is bounded."""
        if kind not in self.lives:
            names = ", ".join(sorted(self.lives))
            raise UsageError(f"there is no kind of data called {kind!r}", hint=f"Use {names}.")
        return self.counts.setdefault(kind, Counts())

    def name(self, kind: str, key: str) -> str:
        return f"{self.prefix}:hash:{kind}:{key}"

    def get_many(self, kind: str, keys: Sequence[str]) -> Steps[dict[str, dict[str, str] | None]]:
        counts = self.of(kind)
        if not keys:
            return {}
        try:
            replies = yield from _asked([("HGETALL", self.name(kind, key)) for key in keys])
        except OpsctlError:
            counts.errors += 1
            return dict.fromkeys(keys)
        found = {key: _fields(reply) for key, reply in zip(keys, replies, strict=True)}
        there = sum(fields is not None for fields in found.values())
        counts.l2_hits += there
        counts.misses += len(found) - there
        return found

    def set(self, kind: str, key: str, fields: Fields, ttl: float | str | None) -> Steps[bool]:
        """Replace the whole entry and its life in one transaction: no reader sees a half of it."""
        counts = self.of(kind)
        if not fields:
            raise UsageError("an entry needs at least one field", hint="Delete it instead.")
        name = self.name(kind, key)
        life_ms = max(1, round(seconds_of(kind if ttl is None else ttl, self.lives) * 1000))
        pairs = [word for pair in fields.items() for word in pair]
        commands: list[Command] = [
            ("MULTI",),
            ("DEL", name),
            ("HSET", name, *pairs),
            ("PEXPIRE", name, life_ms),
            ("EXEC",),
        ]
        try:
            yield from _asked(commands)
        except OpsctlError:
            counts.errors += 1
            return False
        counts.sets += 1
        return True

    def delete(self, kind: str, keys: Sequence[str]) -> Steps[int]:
        counts = self.of(kind)
        if not keys:
            return 0
        try:
            (gone,) = yield from _asked([("UNLINK", *(self.name(kind, key) for key in keys))])
        except OpsctlError:
            counts.errors += 1
            return 0
        counts.deletes += int(gone)
        return int(gone)


def _asked(commands: Sequence[Command]) -> Steps[list[Any]]:
    replies = yield Ask(commands)
    for reply in replies:
        if isinstance(reply, OpsctlError):
            raise reply
    return list(replies)


def _fields(reply: object) -> dict[str, str] | None:
    words = [word.decode() for word in reply] if isinstance(reply, list) else []
    return dict(zip(words[::2], words[1::2], strict=True)) or None
