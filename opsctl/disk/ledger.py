"""Writes down what goes, before it goes; on a full disk as soon as there is room."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.state.model import Action
from opsctl.systems.descent import Below
from opsctl.systems.files import DiskFullError
from opsctl.systems.trees import Found

if TYPE_CHECKING:
    from opsctl.state.store import Store
    from opsctl.systems.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lot:
    """Files of one folder that go together."""

    root: Path
    below: Below
    files: tuple[Found, ...]

    @property
    def folder(self) -> bytes:
        return b"/".join((bytes(self.root), *self.below))

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a lot."""

    lot: Lot
    gone: tuple[Found, ...] = ()
    written: int = 0
    trouble: str = ""

    @property
    def frees_bytes(self) -> int:
        return sum(file.frees_bytes for file in self.gone)


class Ledger:
    def __init__(self, store: "Store", clock: "Clock", run: str) -> None:
        self._store = store
        self._clock = clock
        self._run = run
        self._unwritten: list[Done] = []

    def begin(self, lots: Sequence[Lot]) -> Sequence[int | None]:
        """Write the intents of several lots at once; None where the disk takes no more."""
        at, removals = self._clock.now(), self._store.removals
        try:
            with self._store.transaction():
                return [removals.begin(self._run, lot.folder, _listed(lot), at=at) for lot in lots]
        except DiskFullError:
            log.warning("disk too full to write down what goes", extra={"run": self._run})
            return [None] * len(lots)

    def end(self, numbers: Sequence[int | None], done: Sequence[Done]) -> None:
        """Close what was begun; what could not be written down before is written now."""
        try:
            with self._store.transaction():
                for number, one in zip(numbers, done, strict=True):
                    if number is not None:
                        self._close(number, one)
                for one in self._unwritten:
                    self._write(one)
                self._unwritten.clear()
        except DiskFullError:
            log.warning("disk too full to write down what went", extra={"run": self._run})
        self._unwritten += [one for n, one in zip(numbers, done, strict=True) if n is None]

    def finish(self) -> None:
        """Write the rest, and say in the log what no store could take."""
        self.end((), ())
        for one in self._unwritten:
            facts = {"folder": repr(one.lot.folder), "files": len(one.gone)}
            log.error("removed, and not written down", extra=facts)

    def _write(self, done: Done) -> None:
        listed = [(file.name, file.size) for file in done.gone]
        at = self._clock.now()
        self._close(self._store.removals.begin(self._run, done.lot.folder, listed, at=at), done)

    def _close(self, number: int, done: Done) -> None:
        self._store.removals.end(
            number, files=len(done.gone), size=done.frees_bytes, at=self._clock.now()
        )


def _listed(lot: Lot) -> Sequence[tuple[bytes, int]]:
    return [(file.name, file.size) for file in lot.files]


@contextmanager
def on_record(action: Action, *, store: "Store", clock: "Clock") -> Iterator[None]:
    """As every deed; where the disk is too full for the intent, both rows follow the deed."""
    is_done = False
    try:
        with ExitStack() as stack:
            is_late = not _begun(stack, store.audit.action(action, clock=clock))
            yield
            is_done = True
            if is_late:
                stack.enter_context(store.audit.action(action, clock=clock))
    except DiskFullError:
        if not is_done:
            raise
        log.error("disk too full for the audit", extra={"command": action.command})  # noqa: TRY400 - no bug


def _begun(stack: ExitStack, recording: AbstractContextManager[str]) -> bool:
    try:
        stack.enter_context(recording)
    except DiskFullError:
        return False
    return True
