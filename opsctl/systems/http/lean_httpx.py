"""httpx without its own command line, which would load click, rich and pygments for nothing."""

import sys

# None makes an import fail, and httpx then goes without; it asks for this once, when it starts.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is what says so

import httpx  # noqa: E402 - after the line above

__all__ = ["httpx"]
