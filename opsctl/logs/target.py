"""Where the log goes, and from which level on."""

from typing import TextIO

from opsctl.value import Value


class LogTarget(Value):
    """The lowest level that is logged, and the places that it is logged to."""

    level: str
    stream: TextIO
    file: str
    secrets: tuple[str, ...]
