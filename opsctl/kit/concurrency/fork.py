"""What starts over in a forked child, which has none of its parent's threads and connections."""

import os
import weakref
from typing import Protocol


class Restartable(Protocol):
    def restart_after_fork(self) -> None: ...


_restartables: "weakref.WeakSet[Restartable]" = weakref.WeakSet()


def restart_in_child(restartable: Restartable) -> None:
    """Call `restart_after_fork` in every child that is forked from now on."""
    _restartables.add(restartable)


def _restart_all() -> None:
    for restartable in tuple(_restartables):
        restartable.restart_after_fork()


os.register_at_fork(after_in_child=_restart_all)
