"""Records files before they are deleted; on a full disk, as soon as there is space."""

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
class RemovalResult:
    """What happened to the files of a lot; `left` has the indexes of those that remain."""

    lot: FileListing
    frees_bytes: int
    written: int = 0
    left: Collection[int] = ()
    problem: str = ""

    @property
    def deleted(self) -> int:
        return self.lot.files - len(self.left)


class RemovalLog:
    """The removals of one run; results are recorded with the next intent, or at the end."""

    def __init__(self, store: "Store", clock: "Clock", run: str) -> None:
        self._store = store
        self._clock = clock
        self._run = run
        self._results: list[tuple[int | None, RemovalResult]] = []

    def begin(self, lots: Sequence[FileListing]) -> Sequence[int | None]:
        """Record the intents of several lots at once; None where the disk is full."""
        try:
            with self._store.transaction():
                self._record_results()
                at, removals = self._clock.now(), self._store.removals
                numbers = [removals.begin(self._run, lot, at=at) for lot in lots]
        except DiskFullError:
            log.warning("disk too full to record removals", extra={"run": self._run})
            return [None] * len(lots)
        self._results.clear()
        return numbers

    def end(self, number: int | None, result: RemovalResult) -> None:
        """Keep the result; it is recorded later, with its intent if that is missing."""
        self._results.append((number, result))

    def finish(self) -> None:
        """Record the rest, and log what the store could not take."""
        if self._results:
            self.begin(())
        for number, result in self._results:
            if number is None:
                facts = {"folder": repr(result.lot.folder), "files": result.deleted}
                log.error("deleted, but not recorded", extra=facts)

    def _record_results(self) -> None:
        for number, result in self._results:
            removal = self._begin_late(result) if number is None else number
            self._store.removals.end(
                removal, files=result.deleted, size=result.frees_bytes, at=self._clock.now()
            )

    def _begin_late(self, result: RemovalResult) -> int:
        deleted = without_files(result.lot, frozenset(result.left))
        return self._store.removals.begin(self._run, deleted, at=self._clock.now())


@contextmanager
def audited_even_when_full(action: Action, *, store: "Store", clock: "Clock") -> Iterator[None]:
    """Audit an action; if the disk is too full, both rows are recorded after it."""
    is_done = False
    try:
        with ExitStack() as stack:
            is_late = not _record_start(stack, store.audit.action(action, clock=clock))
            yield
            is_done = True
            if is_late:
                stack.enter_context(store.audit.action(action, clock=clock))
    except DiskFullError:
        if not is_done:
            raise
        log.error("disk too full for the audit", extra={"command": action.command})  # noqa: TRY400 - no bug


def _record_start(stack: ExitStack, recording: AbstractContextManager[str]) -> bool:
    try:
        stack.enter_context(recording)
    except DiskFullError:
        return False
    return True
