"""Migration files, rows of the tracking table, and the status of each version."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from opsctl.errors import OpsctlError
from opsctl.value import Value


class Migration(NamedTuple):
    """One file; its text is read only when needed, as there may be thousands."""

    version: int
    name: str
    file: str
    checksum: str
    down: str | None = None


class AppliedMigration(NamedTuple):
    """One row of the tracking table; the defaults are filled in for `status` only."""

    version: int
    name: str
    checksum: str
    finished: bool = True
    applied_at: datetime | None = None
    applied_by: str = ""
    duration_ms: int | None = None
    opsctl_version: str = ""
    git_sha: str = ""


class MigrationState(StrEnum):
    APPLIED = "applied"
    PENDING = "pending"
    EDITED = "edited"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order"
    INTERRUPTED = "interrupted"


class MigrationStatus(NamedTuple):
    """The state of one version, which has a file, a row, or both."""

    version: int
    name: str
    state: MigrationState
    note: str = ""
    migration: Migration | None = None
    applied: AppliedMigration | None = None

    @property
    def label(self) -> str:
        return self.migration.file if self.migration else f"{self.version}_{self.name}"


class MigrationFiles(Value):
    """All files of the directory, in order."""

    migrations: tuple[Migration, ...]
    notes: tuple[str, ...] = ()
    """Gaps in the numbers, and files that are ignored."""


class ApplyOptions(Value):
    """How far to apply, and which states to accept."""

    to: int | None = None
    step: int | None = None
    allow_out_of_order: bool = False
    resume: bool = False


class MigrationPlan(Value):
    """The files to apply, in order, and notes for the operator."""

    to_apply: tuple[Migration, ...]
    resumed: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    remaining: int = 0
    """Pending files beyond what was requested."""


class TimeLimits(Value):
    """How long one file may wait and run, in seconds; 0 means without a limit."""

    lock_s: float
    statement_s: float


class MigrationError(OpsctlError):
    """A file failed or cannot run; says where, why, and the state of the database."""

    code = "migration"

    def __init__(
        self,
        what: str,
        *,
        why: str,
        hint: str = "",
        excerpt: tuple[str, ...] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.excerpt = excerpt
        self.facts = dict(facts or {})


class RefusedMigrationError(MigrationError):
    """Refused before anything ran."""

    exit_code = 5
    code = "refused"


class BusyMigrationError(MigrationError):
    """Another session holds a lock that a file needs, or is migrating now."""

    exit_code = 75
    code = "busy"
