# Generated from opsctl/kit/redis/async_run_effects.py by `make unasync`: edit that file instead.
"""Runs operations that only use Redis."""

from typing import TYPE_CHECKING, Any, TypeVar

from opsctl.errors import OpsctlError
from opsctl.kit.breaker import Breaker
from opsctl.kit.redis.effects import Effect, Effects, RunScript, SendCommands

if TYPE_CHECKING:
    from opsctl.kit.redis.client import RedisClient

T = TypeVar("T")


def run_effects(client: "RedisClient", effects: Effects[T], breaker: Breaker | None = None) -> T:
    try:
        effect = next(effects)
        while True:
            try:
                result = _run_guarded(client, effect, breaker)
            except OpsctlError as error:
                effect = effects.throw(error)
            else:
                effect = effects.send(result)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # StopIteration has no type


def _run_guarded(client: "RedisClient", effect: Effect, breaker: Breaker | None) -> Any:  # noqa: ANN401 - as many results as effects
    # While Redis is known to be unavailable a call fails at once, which tells a breaker nothing.
    if breaker is None or not client.available:
        return _run(client, effect)
    return breaker.call(_run, client, effect)


def _run(client: "RedisClient", effect: Effect) -> Any:  # noqa: ANN401 - same
    if isinstance(effect, SendCommands):
        return client.calls(effect.commands)
    if isinstance(effect, RunScript):
        return client.run(effect.script, effect.keys, effect.args)
    raise TypeError(effect)
