"""What the stack's own services import: each name loads only what it needs."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.client import Client

__all__ = ["AsyncClient", "Client"]

_HOMES = {
    "AsyncClient": "opsctl.kit.async_client",
    "Client": "opsctl.kit.client",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
