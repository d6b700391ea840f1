"""Carries out steps that only ask Redis: in a thread, or on an event loop."""

from typing import TYPE_CHECKING, Any, TypeVar

from opsctl.errors import OpsctlError
from opsctl.kit.breaker import Breaker
from opsctl.kit.cache.steps import Ask, Effect, Run, Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.client import Client

T = TypeVar("T")


def carry(client: "Client", steps: Steps[T], breaker: Breaker | None = None) -> T:
    try:
        effect = next(steps)
        while True:
            try:
                answer = _guarded(client, effect, breaker)
            except OpsctlError as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(answer)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # StopIteration has no type


async def carry_async(client: "AsyncClient", steps: Steps[T], breaker: Breaker | None = None) -> T:
    try:
        effect = next(steps)
        while True:
            try:
                if breaker is None or not client.available:
                    answer = await _call(client, effect)
                else:
                    answer = await breaker.acall(_call, client, effect)
            except OpsctlError as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(answer)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # same


def _guarded(client: "Client", effect: Effect, breaker: Breaker | None) -> Any:  # noqa: ANN401 - as many answers as effects
    # A client that knows Redis is away fails at once; that says nothing new to the breaker.
    if breaker is None or not client.available:
        return _call(client, effect)
    call: Callable[..., Any] = _call
    return breaker.call(call, client, effect)


def _call(client: Any, effect: Effect) -> Any:  # noqa: ANN401 - of either kind, which answer alike
    if isinstance(effect, Ask):
        return client.calls(effect.commands)
    if isinstance(effect, Run):
        return client.run(effect.script, effect.keys, effect.args)
    raise TypeError(effect)
