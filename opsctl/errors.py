"""Everything that can go wrong, as one tree; each class carries its exit code.

OpsctlError                1  the action failed
├── UsageError             2  wrong arguments, or a question that could not be asked
├── RefusedError           5  refused by a guard; nothing was changed
├── SettingsError          6  a setting is missing or wrong
├── UnreachableError       7  a system did not answer
├── UnrestoredError        8  failed, and could not restore the previous state
├── BusyError             75  someone else holds the lock; safe to retry
└── InterruptedRunError  130  stopped by a person or a signal; says what remains

Exit codes that are results, not errors: 0 done, 3 a check found a problem, 4 changes are pending.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_ATTENTION = 3
EXIT_PENDING = 4


class OpsctlError(Exception):
    """What failed (`what`), why, and what to try (`hint`)."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self.excerpt: tuple[str, ...] = ()
        """Lines of a file around the error."""
        self.facts: dict[str, object] = {}
        """Facts for programs, beside the text."""


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
