"""The errors that PostgreSQL reports, whatever the driver."""

import re

from opsctl.errors import BusyError, OpsctlError, RefusedError, SettingsError, UnreachableError
from opsctl.systems.error_table import ErrorMeaning
from opsctl.value import Value


class Diagnosis(Value):
    """What the server reported about a statement, for finding the place in a file."""

    sqlstate: str
    message: str
    detail: str = ""
    context: str = ""
    position: int | None = None
    """Counts characters from 1, over the whole text that was sent."""
    schema: str = ""
    table: str = ""
    constraint: str = ""
    hint: str = ""


class StatementError(OpsctlError):
    """The server is healthy, and answered that this statement cannot be done."""

    code = "statement"

    def __init__(self, what: str, *, why: str, hint: str, diagnosis: Diagnosis) -> None:
        super().__init__(what, why=why, hint=hint)
        self.diagnosis = diagnosis


class SqlstateMeaning(ErrorMeaning):
    """By default: the server refused a statement."""

    error: type[OpsctlError] = StatementError
    what: str = "PostgreSQL refused a statement at {address}"


STATEMENT = SqlstateMeaning()
BUG = SqlstateMeaning(OpsctlError, "the PostgreSQL driver was misused at {address}", "Report this.")
LOST = SqlstateMeaning(
    UnreachableError,
    "lost the connection to PostgreSQL at {address}",
    "Check the server's log: whether the last statement succeeded is unknown.",
)
_BUSY = SqlstateMeaning(
    BusyError,
    "PostgreSQL rolled back a statement at {address} because of another session",
    "Try again; pg_stat_activity lists the other sessions.",
)
_LOGIN = SqlstateMeaning(
    SettingsError,
    "PostgreSQL at {address} does not accept the login",
    "Check the user and the password in DATABASE_URL, and the server's pg_hba.conf.",
)
_NO_DATABASE = SqlstateMeaning(
    SettingsError,
    "PostgreSQL has no such database: {address}",
    "Create it, or correct the name in DATABASE_URL.",
)
_NO_RIGHT = SqlstateMeaning(
    what="PostgreSQL does not allow this user a statement at {address}",
    hint="GRANT what is missing, or use the role that owns it.",
)
_FULL = SqlstateMeaning(
    UnreachableError,
    "PostgreSQL at {address} accepts no more connections",
    "Close idle sessions (SELECT * FROM pg_stat_activity), or raise max_connections.",
)
_STARTING = SqlstateMeaning(
    UnreachableError,
    "PostgreSQL at {address} accepts no connections now",
    "It is starting or stopping: try again in a few seconds.",
)
_STARTUP_OPTIONS = SqlstateMeaning(
    SettingsError,
    "PostgreSQL at {address} does not accept the session limits of opsctl",
    "Connect to the server itself: a pooler drops startup options, and with them the limits.",
)
_TLS = SqlstateMeaning(
    SettingsError,
    "PostgreSQL at {address} does not offer the TLS that was asked for",
    "Check sslmode, sslrootcert and the host's name in DATABASE_URL.",
)
_ADDRESS = SqlstateMeaning(
    SettingsError,
    "the address of PostgreSQL is wrong: {address}",
    "Correct DATABASE_URL: postgresql://user@host:5432/database",
)
DEAD = SqlstateMeaning(
    UnreachableError,
    "cannot connect to PostgreSQL at {address}",
    "Is it running, and is this its address?",
)

# States that more than one part of opsctl has to recognize.
ACTIVE_TRANSACTION = "25001"
DUPLICATE_SCHEMA = "42P06"
DUPLICATE_TABLE = "42P07"
QUERY_CANCELED = "57014"
UNDEFINED_SCHEMA = "3F000"
UNDEFINED_TABLE = "42P01"
UNIQUE_VIOLATION = "23505"
# The transaction was rolled back because of others: the same one may succeed when run again.
RETRYABLE = {
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "55P03": "lock_not_available",
}

# Whole states first, then their first two letters, the class.
BY_STATE: dict[str, SqlstateMeaning] = {
    "08": LOST,
    "08P01": STATEMENT,
    "25006": SqlstateMeaning(
        RefusedError,
        "PostgreSQL at {address} is opened read-only",
        "This command may not write there.",
    ),
    "28": _LOGIN,
    "3D": _NO_DATABASE,
    "40": STATEMENT,
    "42501": _NO_RIGHT,
    "53300": _FULL,
    **dict.fromkeys(RETRYABLE, _BUSY),
    QUERY_CANCELED: SqlstateMeaning(
        what="PostgreSQL stopped a statement at {address}",
        hint="It reached statement_timeout, or someone cancelled it.",
    ),
    "57P01": LOST,
    "57P02": LOST,
    "57P03": _STARTING,
    "57P04": _NO_DATABASE,
    "57P05": LOST,
}
# The states of these classes are the server's answer to a statement, and no more than that.
for _state in (
    "02", "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22", "23", "24", "25",
    "26", "27", "2B", "2D", "2F", "34", "38", "39", "3B", "3F", "42", "44", "53", "54", "55", "57",
    "58", "72", "F0", "HV", "P0", "XX",
):  # fmt: skip
    BY_STATE[_state] = STATEMENT

# Before a session stands, libpq hands on words, no state: these are the server's, in English.
BY_WORDS: tuple[tuple[str, SqlstateMeaning], ...] = (
    (r"authentication failed|no password supplied|role .* does not exist", _LOGIN),
    (r"no pg_hba\.conf entry|not permitted to log in|permission denied for database", _LOGIN),
    (r"database .* does not exist|not currently accepting connections", _NO_DATABASE),
    (r"too many clients|too many connections|connection slots are reserved", _FULL),
    (r"the database system is ", _STARTING),
    (r"unsupported startup parameter", _STARTUP_OPTIONS),
    (r"certificate|server does not support SSL|SSL error", _TLS),
    (r"^invalid |could not parse|unrecognized configuration parameter", _ADDRESS),
)


def by_state(sqlstate: str) -> SqlstateMeaning | None:
    return BY_STATE.get(sqlstate) or BY_STATE.get(sqlstate[:2])


def by_words(words: str) -> SqlstateMeaning:
    """Find what kept a session from starting."""
    return next((meaning for text, meaning in BY_WORDS if re.search(text, words)), DEAD)


def words_of_connecting(text: str) -> str:
    """Return the server's message, without the address that our own message names."""
    first = text.strip().partition("\n")[0]
    return re.sub(r"^.* failed: (FATAL: +|ERROR: +)?|^connection is bad: ", "", first)
