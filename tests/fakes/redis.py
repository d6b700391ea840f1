"""An in-memory Redis with the few commands that probes and the ground use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from opsctl.errors import OpsctlError, RefusedError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.redis.access import Access, allowed
from opsctl.systems.redis.client import RedisFacts, Word


@dataclass
class MemoryRedis:
    clock: Clock
    address: str = "127.0.0.1:6379/0"
    access: Access = Access.FULL
    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[tuple[Word, ...], Any] = field(default_factory=dict)
    """What `call` returns; a command that nobody prepared fails the test."""
    down: bool = False
    values: dict[str, tuple[bytes, float | None]] = field(default_factory=dict)

    def ping(self) -> None:
        self._must("PING")

    def info(self, section: str) -> Mapping[str, str]:
        self._must("INFO")
        known = {"server": {"redis_version": "7.0.15"}, "replication": {"role": "master"}}
        return (known | self.sections).get(section, {})

    def facts(self) -> RedisFacts:
        version = self.info("server")["redis_version"]
        role = self.info("replication")["role"]
        return RedisFacts(version=version, role=role, now=self.clock.now().astimezone(UTC))

    def get(self, key: str) -> bytes | None:
        self._must("GET")
        value, ends_at = self.values.get(key, (None, None))
        return None if ends_at is not None and self.clock.steady() >= ends_at else value

    def set(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        self._must("SET")
        self.values[key] = (value, None if ttl_s is None else self.clock.steady() + ttl_s)

    def delete(self, *keys: str) -> int:
        self._must("UNLINK")
        there = [key for key in set(keys) if self.get(key) is not None]
        for key in keys:
            self.values.pop(key, None)
        return len(there)

    def call(self, *words: Word) -> Any:
        self._must(*(str(word) for word in words))
        try:
            answer = self.answers[words]
        except KeyError:
            raise AssertionError(f"nobody prepared an answer to {words!r}") from None
        if isinstance(answer, OpsctlError):
            raise answer
        return answer

    def batch(self, commands: Sequence[Sequence[Word]], *, atomic: bool = False) -> list[Any]:
        answers = [self._answer(command) for command in commands]
        for answer in answers if atomic else ():
            if isinstance(answer, OpsctlError):
                raise answer
        return answers

    def _answer(self, command: Sequence[Word]) -> Any:
        try:
            return self.call(*command)
        except UnreachableError:
            raise
        except OpsctlError as error:
            return error

    def close(self) -> None:
        pass

    def _must(self, *words: str) -> None:
        if not allowed(words, self.access, index=int(self.address.rpartition("/")[2])):
            raise RefusedError(
                f"{words[0].upper()} is not allowed on {self.address}",
                why=f"this connection is for {self.access.value}",
            )
        if self.down:
            raise UnreachableError(f"no answer from Redis at {self.address}", why="it is down")
