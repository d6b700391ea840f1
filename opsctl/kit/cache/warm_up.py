"""Warming up: values that are computed before they are first needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opsctl.logs import logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class DeclaredValue:
    key: str
    factory: Callable[[], Any]
    ttl: float | str | None


@dataclass(frozen=True, slots=True)
class WarmUpReport:
    ready: tuple[str, ...]
    failed: tuple[str, ...]
    """Their errors are in the log."""


@dataclass(slots=True)
class WarmUpRun:
    ready: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @contextmanager
    def record(self, key: str) -> Iterator[None]:
        try:
            yield
        except Exception:
            # The factory of the service: it starts without this value.
            log.exception("cannot warm up a cached value", extra={"key": key})
            self.failed.append(key)
        else:
            self.ready.append(key)

    def report(self) -> WarmUpReport:
        return WarmUpReport(tuple(self.ready), tuple(self.failed))
