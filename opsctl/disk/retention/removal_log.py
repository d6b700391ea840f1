"""Writes down what goes, before it goes; on a full disk as soon as there is room."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.logs import logger
from opsctl.state.model import Action, FileListing
from opsctl.state.removals import without_files
from opsctl.systems.files.local import DiskFullError

if TYPE_CHECKING:
    from opsctl.state.store import Store
    from opsctl.systems.clock import Clock

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a lot; `left` counts its files from 0."""

    lot: FileListing
    frees_bytes: int
    written: int = 0
    left: Collection[int] = ()
    trouble: str = ""

    @property
    def gone(self) -> int:
        return self.lot.files - len(self.left)


class Ledger:
    """The books of one run; that a lot is done is written with the next intent, or at the end."""

    def __init__(self, store: "Store", clock: "Clock", run: str) -> None:
        self._store = store
        self._clock = clock
        self._run = run
        self._done: list[tuple[int | None, Done]] = []

    def begin(self, lots: Sequence[FileListing]) -> Sequence[int | None]:
        """Write the intents of several lots at once; None where the disk takes no more."""
        try:
            with self._store.transaction():
                self._close_done()
                at, removals = self._clock.now(), self._store.removals
                numbers = [removals.begin(self._run, lot, at=at) for lot in lots]
        except DiskFullError:
            log.warning("disk too full to write down what goes", extra={"run": self._run})
            return [None] * len(lots)
        self._done.clear()
        return numbers

    def end(self, number: int | None, done: Done) -> None:
        """Note what was done; what could not be written down before is written now."""
        self._done.append((number, done))

    def finish(self) -> None:
        """Write the rest, and say in the log what no store could take."""
        if self._done:
            self.begin(())
        for number, done in self._done:
            if number is None:
                facts = {"folder": repr(done.lot.folder), "files": done.gone}
                log.error("removed, and not written down", extra=facts)

    def _close_done(self) -> None:
        for number, done in self._done:
            begun = self._begun_late(done) if number is None else number
            self._store.removals.end(
                begun, files=done.gone, size=done.frees_bytes, at=self._clock.now()
            )

    def _begun_late(self, done: Done) -> int:
        gone = without_files(done.lot, frozenset(done.left))
        return self._store.removals.begin(self._run, gone, at=self._clock.now())


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
