"""Hashes in Redis with lifetimes below a second: which commands are sent, and what is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.cache.model import TTL_PRESETS, CacheCounts, ttl_seconds
from opsctl.kit.redis.effects import Effects, send_commands

if TYPE_CHECKING:
    from opsctl.systems.redis.target import Command

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HashesHealth:
    healthy: bool
    source: str
    latency_ms: float = 0.0
    error: str = ""


@dataclass(slots=True)
class HashEffects:
    """Keeps nothing in memory: a price that is 50 ms old is useless."""

    prefix: str
    ttls: Mapping[str, float] = field(default_factory=lambda: TTL_PRESETS)
    counts: dict[str, CacheCounts] = field(default_factory=dict)

    def counts_of(self, kind: str) -> CacheCounts:
        """Count per kind of data; kinds are names of TTLs, which bounds their number."""
        if kind not in self.ttls:
            names = ", ".join(sorted(self.ttls))
            raise UsageError(f"cannot find the kind of data {kind!r}", hint=f"Use {names}.")
        return self.counts.setdefault(kind, CacheCounts())

    def redis_key(self, kind: str, key: str) -> str:
        return f"{self.prefix}:hash:{kind}:{key}"

    def get_many(self, kind: str, keys: Sequence[str]) -> Effects[dict[str, dict[str, str] | None]]:
        counts = self.counts_of(kind)
        if not keys:
            return {}
        commands = [("HGETALL", self.redis_key(kind, key)) for key in keys]
        try:
            replies = yield from send_commands(commands)
        except OpsctlError:
            counts.errors += 1
            return dict.fromkeys(keys)
        entries = {key: _parse_fields(reply) for key, reply in zip(keys, replies, strict=True)}
        hits = sum(fields is not None for fields in entries.values())
        counts.l2_hits += hits
        counts.misses += len(entries) - hits
        return entries

    def set(self, kind: str, key: str, fields: Fields, ttl: float | str | None) -> Effects[bool]:
        """Replace the whole entry and its TTL in one transaction: no reader sees half of it."""
        counts = self.counts_of(kind)
        if not fields:
            raise UsageError(f"cannot store {key!r} without fields", hint="Delete it instead.")
        name = self.redis_key(kind, key)
        ttl_ms = max(1, round(ttl_seconds(kind if ttl is None else ttl, self.ttls) * 1000))
        pairs = [word for pair in fields.items() for word in pair]
        commands: list[Command] = [
            ("MULTI",),
            ("DEL", name),
            ("HSET", name, *pairs),
            ("PEXPIRE", name, ttl_ms),
            ("EXEC",),
        ]
        try:
            yield from send_commands(commands)
        except OpsctlError:
            counts.errors += 1
            return False
        counts.sets += 1
        return True

    def delete(self, kind: str, keys: Sequence[str]) -> Effects[int]:
        counts = self.counts_of(kind)
        if not keys:
            return 0
        names = [self.redis_key(kind, key) for key in keys]
        try:
            (deleted,) = yield from send_commands([("UNLINK", *names)])
        except OpsctlError:
            counts.errors += 1
            return 0
        counts.deletes += int(deleted)
        return int(deleted)


def _parse_fields(reply: object) -> dict[str, str] | None:
    words = [word.decode() for word in reply] if isinstance(reply, list) else []
    return dict(zip(words[::2], words[1::2], strict=True)) or None
