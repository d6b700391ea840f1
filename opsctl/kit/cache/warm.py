"""Values that are to be ready before the first one asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opsctl.logs import logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Declared:
    key: str
    factory: Callable[[], Any]
    ttl: float | str | None


@dataclass(frozen=True, slots=True)
class WarmReport:
    ready: tuple[str, ...]
    failed: tuple[str, ...]
    """Their errors stand in the log."""


@dataclass(slots=True)
class Warmth:
    ready: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        try:
            yield
        except Exception:
            # The user's own factory: the service starts without this value.
            log.exception("a value could not be warmed", extra={"key": key})
            self.failed.append(key)
        else:
            self.ready.append(key)

    def report(self) -> WarmReport:
        return WarmReport(tuple(self.ready), tuple(self.failed))
