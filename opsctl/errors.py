"""Everything that can go wrong, as one tree; each class carries its exit code.

OpsctlError                1  tried and failed
├── UsageError             2  wrong words, or an answer was needed and none could be asked for
├── RefusedError           5  a guard said no; nothing was changed
├── SettingsError          6  a setting is missing or wrong
├── UnreachableError       7  a system did not answer
├── UnrestoredError        8  tried, failed, and could not put back what was there
├── BusyError             75  someone else holds the lock; safe to retry
└── InterruptedRunError  130  stopped by a person or a signal; says what was left behind

Exit codes that are results, not errors: 0 done, 3 a check found trouble, 4 changes are pending.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_ATTENTION = 3
EXIT_PENDING = 4


class OpsctlError(Exception):
    """What could not be done, to what; why; and what to try."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self.excerpt: tuple[str, ...] = ()
        """Lines of a file that show the place."""
        self.facts: dict[str, object] = {}
        """What a program wants to know besides the words."""


class UsageError(OpsctlError):
    exit_code = 2
    code = "usage"


class RefusedError(OpsctlError):
    exit_code = 5
    code = "refused"


class SettingsError(OpsctlError):
    exit_code = 6
    code = "settings"


class UnreachableError(OpsctlError):
    exit_code = 7
    code = "unreachable"


class UnrestoredError(OpsctlError):
    exit_code = 8
    code = "unrestored"


class BusyError(OpsctlError):
    exit_code = 75
    code = "busy"


class InterruptedRunError(OpsctlError):
    exit_code = 130
    code = "interrupted"
