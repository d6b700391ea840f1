"""Section `database`: the stack's PostgreSQL or TimescaleDB."""

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, setting


class Database(Section):
    """The stack's PostgreSQL or TimescaleDB."""

    url: Secret = setting(
        Secret(""),
        "postgresql://user:password@host:port/name; keep it in .env. Empty: no database.",
        env=("DATABASE_URL",),
    )
    connect_timeout_s: float = setting(
        2.0, "Longest wait for a connection, including name lookup.", gt=0, le=60
    )
    statement_timeout_s: float = setting(
        30.0, "Longest run time of one query sent by a check.", gt=0, le=86400
    )
