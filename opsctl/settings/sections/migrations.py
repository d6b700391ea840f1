"""Section `migrations`: SQL files and the database they are for."""

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, setting


class Migrations(Section):
    """SQL files and the database they are for."""

    directory: str = setting(
        "migrations", "Directory of the migration files, relative to the project."
    )
    url: Secret = setting(
        Secret(""),
        "postgresql://..., sqlite:///path or duckdb:///path; keep it in .env. Empty: database.url.",
    )
    shadow_url: Secret = setting(
        Secret(""),
        "An empty database for `verify`. Empty: one is created on the same server and dropped.",
    )
    lock_timeout_s: float = setting(
        5.0,
        "How long a statement waits for a lock; later queries queue behind it.",
        gt=0,
        le=3600,
    )
    lock_retries: int = setting(
        10, "How often a file is retried after a lock timeout, deadlock or similar.", ge=0, le=1000
    )
    statement_timeout_s: float = setting(
        1800.0, "Longest run time of one statement; 0: no limit.", ge=0, le=604800
    )
    runner_timeout_s: float = setting(
        300.0, "How long to wait for another runner; --lock-timeout overrides it.", ge=0, le=86400
    )
    allow_non_transactional: bool = setting(
        False, "Allow files that begin with `-- opsctl: no-transaction`."
    )
    schema_file: str = setting(
        "", "Schema dump written after each run that applies something. Empty: none."
    )
