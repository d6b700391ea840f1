"""Redis for services: pooled connections, pipelines, scripts; an end is set to every wait."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from redis import exceptions

from opsctl.errors import OpsctlError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline
from opsctl.systems.redis.access import Access
from opsctl.systems.redis.connections import Guard, kind_of, options_for
from opsctl.systems.redis.errors import DRIVER_ERRORS, translate
from opsctl.systems.redis.idle_connections import IdleConnections
from opsctl.systems.redis.pubsub import RedisPySubscription, Subscription, Topics
from opsctl.systems.redis.target import Command, RedisLimits, RedisScript, RedisTarget, Word

T = TypeVar("T")


class PooledRedis(Protocol):
    @property
    def address(self) -> str: ...

    def call(self, *words: Word, limit_s: float | None = None) -> Any:  # noqa: ANN401  # as many shapes as Redis has commands
        """Send one command; answer as RESP2 has it, strings as bytes."""
        ...

    def calls(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Send many commands in one round trip; a refused one yields an OpsctlError."""
        ...

    def run(self, script: RedisScript, keys: Sequence[str], args: Sequence[Word] = ()) -> Any:  # noqa: ANN401  # same
        """Run a script by its digest; its text is sent only to a server that lacks it."""
        ...

    def subscribe(self, topics: Topics) -> Subscription: ...

    def close(self) -> None: ...


class RedisPyPooled:
    """Threads may share it; a forked child starts with connections of its own."""

    def __init__(
        self,
        target: RedisTarget,
        *,
        name: str,
        clock: Clock,
        limits: RedisLimits,
        access: Access = Access.FULL,
    ) -> None:
        self._target = target
        self._name = name
        self._clock = clock
        self._limits = limits
        self._access = access
        self._idle = IdleConnections(self._connection, limits.connections)

    def __repr__(self) -> str:
        return f"RedisPyPooled({self.address!r})"

    @property
    def address(self) -> str:
        return self._target.address

    def call(self, *words: Word, limit_s: float | None = None) -> Any:  # noqa: ANN401  # as many shapes as Redis has commands
        def ask(connected: Any) -> Any:  # noqa: ANN401  # same
            connected.send_command(*words)
            return connected.read_response()

        return self._exchange(ask, limit_s)

    def calls(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        sent = [("MULTI",), *commands, ("EXEC",)] if atomic else commands

        def ask(connected: Any) -> list[Any]:  # noqa: ANN401  # same
            connected.send_packed_command(connected.pack_commands(sent))
            return [self._reply(connected) for _ in sent]

        if not commands:
            return []
        replies = self._exchange(ask, None)
        return unfold(replies, self._ours) if atomic else replies

    def run(self, script: RedisScript, keys: Sequence[str], args: Sequence[Word] = ()) -> Any:  # noqa: ANN401  # same
        def ask(connected: Any) -> Any:  # noqa: ANN401  # same
            connected.send_command("EVALSHA", script.sha, len(keys), *keys, *args)
            try:
                return connected.read_response()
            except exceptions.NoScriptError:
                connected.send_command("EVAL", script.text, len(keys), *keys, *args)
                return connected.read_response()

        return self._exchange(ask, None)

    def subscribe(self, topics: Topics) -> Subscription:
        with self._translated():
            connected = self._connection(topics.purpose)
            connected.begin(self._limits.answer_s)
            return RedisPySubscription(connected, topics, self._translated)

    def close(self) -> None:
        self._idle.clear()

    def _connection(self, purpose: str = "cmd") -> Any:  # noqa: ANN401  # redis-py ships it without types
        name = f"{self._name}:{purpose}"
        options = options_for(self._target, purpose=name, limit_s=self._limits.answer_s)
        if self._access is not Access.FULL:
            options["command_packer"] = Guard(self._target, self._access)
        return kind_of(self._target)(clock=self._clock, **options)

    def _exchange(self, ask: Callable[[Any], T], limit_s: float | None) -> T:
        limit_s = limit_s or self._limits.answer_s
        connected = self._idle.take(Deadline.after(self._clock, limit_s), self.address)
        try:
            with self._translated(limit_s):
                ready(connected, limit_s)
                answer = ask(connected)
        except BaseException as error:
            # After a refusal the line is in step; after anything else, who knows.
            if not isinstance(error.__context__, exceptions.ResponseError):
                connected.disconnect()
            raise
        finally:
            self._idle.put(connected)
        return answer

    def _reply(self, connected: Any) -> Any:  # noqa: ANN401  # same
        try:
            return connected.read_response()
        except exceptions.ResponseError as error:
            return self._ours(error)

    @contextlib.contextmanager
    def _translated(self, limit_s: float | None = None) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            secret = self._target.password
            raise self._ours(error, limit_s) from (
                None if secret and secret in str(error) else error
            )

    def _ours(self, error: Exception, limit_s: float | None = None) -> OpsctlError:
        limit_s = limit_s or self._limits.answer_s
        return translate(error, self.address, limit_s=limit_s, secret=self._target.password)


def ready(connected: Any, limit_s: float) -> None:  # noqa: ANN401  # redis-py ships it without types
    """Begin an exchange on a connection that is open and owes nobody an answer."""
    connected.begin(limit_s)
    try:
        stale = connected.can_read()
    except exceptions.ConnectionError:
        stale = True
    if stale:
        connected.disconnect()
        connected.begin(limit_s)


def unfold(replies: Sequence[Any], ours: Callable[[Exception], OpsctlError]) -> list[Any]:
    """Turn what MULTI, its commands and EXEC answered into the commands' own answers."""
    *queued, outcome = replies
    if isinstance(outcome, OpsctlError):
        raise next((reply for reply in queued if isinstance(reply, OpsctlError)), outcome)
    return [ours(each) if isinstance(each, Exception) else each for each in outcome]
