"""State that survives a restart: one SQLite store, and locks that end with their holder."""

from opsctl.state.locks import Locks
from opsctl.state.store import Store, open_store

__all__ = ["Locks", "Store", "open_store"]
