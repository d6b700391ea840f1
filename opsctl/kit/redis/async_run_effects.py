"""Runs operations that only use Redis."""

from typing import TYPE_CHECKING, Any, TypeVar

from opsctl.errors import OpsctlError
from opsctl.kit.breaker import Breaker
from opsctl.kit.redis.effects import Effect, Effects, RunScript, SendCommands

if TYPE_CHECKING:
    from opsctl.kit.redis.async_client import AsyncRedisClient

T = TypeVar("T")


async def run_effects(
    client: "AsyncRedisClient", effects: Effects[T], breaker: Breaker | None = None
) -> T:
    try:
        effect = next(effects)
        while True:
            try:
                result = await _run_guarded(client, effect, breaker)
            except OpsctlError as error:
                effect = effects.throw(error)
            else:
                effect = effects.send(result)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # StopIteration has no type


async def _run_guarded(client: "AsyncRedisClient", effect: Effect, breaker: Breaker | None) -> Any:  # noqa: ANN401 - as many results as effects
    # While Redis is known to be unavailable a call fails at once, which tells a breaker nothing.
    if breaker is None or not client.available:
        return await _run(client, effect)
    return await breaker.acall(_run, client, effect)


async def _run(client: "AsyncRedisClient", effect: Effect) -> Any:  # noqa: ANN401 - same
    if isinstance(effect, SendCommands):
        return await client.calls(effect.commands)
    if isinstance(effect, RunScript):
        return await client.run(effect.script, effect.keys, effect.args)
    raise TypeError(effect)
