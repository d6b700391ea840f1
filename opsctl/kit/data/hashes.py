# Generated from opsctl/kit/data/async_hashes.py by `make unasync`: edit that file instead.
"""`Hashes`: entries of several fields, with lifetimes below a second."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError
from opsctl.kit.breaker import Breaker
from opsctl.kit.cache.model import TTL_PRESETS, CacheCounts
from opsctl.kit.data.hash_effects import Fields, HashEffects, HashesHealth
from opsctl.kit.redis.run_effects import run_effects

if TYPE_CHECKING:
    from opsctl.kit.redis.client import RedisClient


class Hashes:
    """A miss means that there is no data; without Redis everything is a miss, counted as an error.

    `kind` names the TTL: price 0.1 s, position 1 s, orderbook 0.05 s, risk 5 s ...
    """

    def __init__(
        self,
        client: "RedisClient",
        *,
        prefix: str = "opsctl",
        ttls: Mapping[str, float] = TTL_PRESETS,
        breaker: Breaker | None = None,
    ) -> None:
        self._client = client
        self._effects = HashEffects(prefix, ttls)
        self._breaker = breaker or Breaker("hashes", clock=client.clock)

    @property
    def counts(self) -> Mapping[str, CacheCounts]:
        """Hits, misses and errors per kind of data."""
        return self._effects.counts

    def get(self, kind: str, key: str) -> dict[str, str] | None:
        entries = self.get_many(kind, [key])
        return entries[key]

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, dict[str, str] | None]:
        """Get several entries in one round trip."""
        effects = self._effects.get_many(kind, keys)
        return run_effects(self._client, effects, self._breaker)

    def set(self, kind: str, key: str, fields: Fields, ttl: float | str | None = None) -> bool:
        """Replace an entry; true when Redis has stored it."""
        effects = self._effects.set(kind, key, fields, ttl)
        return run_effects(self._client, effects, self._breaker)

    def delete(self, kind: str, *keys: str) -> int:
        """Delete entries and return how many there were."""
        effects = self._effects.delete(kind, keys)
        return run_effects(self._client, effects, self._breaker)

    def health(self) -> HashesHealth:
        client = self._client
        began = client.clock.steady()
        try:
            client.call("PING")
        except OpsctlError as error:
            why = error.why or error.what
            return HashesHealth(healthy=False, source=client.address, error=why)
        latency_ms = (client.clock.steady() - began) * 1000
        return HashesHealth(healthy=True, source=client.address, latency_ms=latency_ms)
