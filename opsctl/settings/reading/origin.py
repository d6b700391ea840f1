"""Where a value was written down."""

from typing import NamedTuple


class Origin(NamedTuple):
    """A file and line, a variable, a flag, or `default`; printed as people point at it."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


DEFAULT = Origin("default")
