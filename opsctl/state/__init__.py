"""What must survive a restart: one SQLite store, and locks that die with their holder."""

from opsctl.state.locks import Locks
from opsctl.state.store import Store, open_store

__all__ = ["Locks", "Store", "open_store"]
