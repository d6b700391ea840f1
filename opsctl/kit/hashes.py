"""`Hashes` and `AsyncHashes`: entries of several fields, with lives below a second."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError
from opsctl.kit.breaker import Breaker
from opsctl.kit.cache.model import PRESETS, Counts
from opsctl.kit.carry import carry, carry_async
from opsctl.kit.hash_steps import Fields, HashSteps, Health

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.client import Client

Entry = dict[str, str]


class _Counted:
    def __init__(self, prefix: str, lives: Mapping[str, float], breaker: Breaker) -> None:
        self._steps = HashSteps(prefix, lives)
        self._breaker = breaker

    @property
    def counts(self) -> Mapping[str, Counts]:
        """Hits, misses and errors by kind of data."""
        return self._steps.counts


class Hashes(_Counted):
    """A miss means that there is no data; without Redis there is none either, and `errors` grows.

    `kind` names a life: price 0.1 s, position 1 s, orderbook 0.05 s, risk 5 s ...
    """

    def __init__(
        self,
        client: "Client",
        *,
        prefix: str = "opsctl",
        lives: Mapping[str, float] = PRESETS,
        breaker: Breaker | None = None,
    ) -> None:
        self._client = client
        super().__init__(prefix, lives, breaker or Breaker("hashes", clock=client.clock))

    def get(self, kind: str, key: str) -> Entry | None:
        return self.get_many(kind, [key])[key]

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, Entry | None]:
        """Take several in one trip."""
        return carry(self._client, self._steps.get_many(kind, keys), self._breaker)

    def set(self, kind: str, key: str, fields: Fields, ttl: float | str | None = None) -> bool:
        """Replace an entry; true when Redis has it."""
        return carry(self._client, self._steps.set(kind, key, fields, ttl), self._breaker)

    def delete(self, kind: str, *keys: str) -> int:
        return carry(self._client, self._steps.delete(kind, keys), self._breaker)

    def health(self) -> Health:
        began = self._client.clock.steady()
        try:
            self._client.call("PING")
        except OpsctlError as error:
            return Health(healthy=False, source=self._client.address, error=error.why or error.what)
        return Health(
            healthy=True,
            source=self._client.address,
            latency_ms=(self._client.clock.steady() - began) * 1000,
        )


class AsyncHashes(_Counted):
    """The words of `Hashes`, to be awaited."""

    def __init__(
        self,
        client: "AsyncClient",
        *,
        prefix: str = "opsctl",
        lives: Mapping[str, float] = PRESETS,
        breaker: Breaker | None = None,
    ) -> None:
        self._client = client
        super().__init__(prefix, lives, breaker or Breaker("hashes", clock=client.clock))

    async def get(self, kind: str, key: str) -> Entry | None:
        return (await self.get_many(kind, [key]))[key]

    async def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, Entry | None]:
        """Take several in one trip."""
        return await carry_async(self._client, self._steps.get_many(kind, keys), self._breaker)

    async def set(
        self, kind: str, key: str, fields: Fields, ttl: float | str | None = None
    ) -> bool:
        """Replace an entry; true when Redis has it."""
        steps = self._steps.set(kind, key, fields, ttl)
        return await carry_async(self._client, steps, self._breaker)

    async def delete(self, kind: str, *keys: str) -> int:
        return await carry_async(self._client, self._steps.delete(kind, keys), self._breaker)

    async def health(self) -> Health:
        began = self._client.clock.steady()
        try:
            await self._client.call("PING")
        except OpsctlError as error:
            return Health(healthy=False, source=self._client.address, error=error.why or error.what)
        return Health(
            healthy=True,
            source=self._client.address,
            latency_ms=(self._client.clock.steady() - began) * 1000,
        )
