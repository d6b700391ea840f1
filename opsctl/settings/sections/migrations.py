"""Section `migrations`: SQL files and the database they are for."""

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, setting


class Migrations(Section):
    """SQL files and the database they are for."""

    directory: str = setting("migrations", "Where the files are, seen from the project.")
    url: Secret = setting(
        Secret(""),
        "postgresql://..., sqlite:///path or duckdb:///path; keep it in .env. Empty: database.url.",
    )
    shadow_url: Secret = setting(
        Secret(""),
        "An empty database for `verify`. Empty: one is made on the same server and dropped.",
    )
    lock_timeout_s: float = setting(
        5.0,
        "How long a statement waits for a lock; whoever comes later waits as long.",
        gt=0,
        le=3600,
    )
    lock_retries: int = setting(
        10, "How often a file that found something locked is tried again.", ge=0, le=1000
    )
    statement_timeout_s: float = setting(
        1800.0, "Longest run of one statement; 0: no limit.", ge=0, le=604800
    )
    runner_timeout_s: float = setting(
        300.0, "How long to wait for another runner; --lock-timeout overrides.", ge=0, le=86400
    )
    allow_non_transactional: bool = setting(
        False, "Admit files that begin with `-- opsctl: no-transaction`."
    )
    schema_file: str = setting(
        "", "Written after every run that applied something, seen from the project. Empty: none."
    )
