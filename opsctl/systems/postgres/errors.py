"""Translate the errors of the PostgreSQL driver into ours."""

import psycopg
from psycopg.transaction import OutOfOrderTransactionNesting

from opsctl.errors import OpsctlError
from opsctl.systems.error_table import ErrorMeaning, meaning_of
from opsctl.systems.postgres.sqlstates import (
    BUG,
    BY_STATE,
    BY_WORDS,
    LOST,
    STATEMENT,
    Diagnosis,
    StatementError,
    by_state,
    by_words,
    words_of_connecting,
)

__all__ = ["BY_CLASS", "BY_STATE", "BY_WORDS", "Diagnosis", "StatementError"]

# An error without a state comes from the driver itself.
BY_CLASS: dict[type[Exception], ErrorMeaning] = {
    psycopg.OperationalError: LOST,
    psycopg.InterfaceError: BUG,
    psycopg.ProgrammingError: BUG,
    OutOfOrderTransactionNesting: ErrorMeaning(
        OpsctlError,
        "a statement ended a transaction by itself at {address}",
        "Leave out BEGIN, COMMIT and ROLLBACK.",
    ),
    psycopg.NotSupportedError: BUG,
    psycopg.InternalError: BUG,
    psycopg.DataError: ErrorMeaning(
        OpsctlError, "a value does not fit PostgreSQL at {address}", "See the value named above."
    ),
    psycopg.IntegrityError: BUG,
    psycopg.DatabaseError: BUG,
    psycopg.Error: BUG,
}


def _meaning_of(sqlstate: str | None, kind: type[psycopg.Error]) -> ErrorMeaning | None:
    if sqlstate:
        return by_state(sqlstate)
    return meaning_of(kind, BY_CLASS)


def translate(error: psycopg.Error, address: str) -> OpsctlError:
    # A state that someone made up (RAISE ... USING ERRCODE) is still the server's answer.
    meaning = _meaning_of(error.sqlstate, type(error)) or STATEMENT
    if meaning.error is not StatementError:
        return meaning.to_error(why=_words(error), address=address)
    what = meaning.what.format(address=address)
    return StatementError(what, why=_words(error), hint=meaning.hint, diagnosis=_diagnosis(error))


def translate_connecting(error: psycopg.Error, address: str) -> OpsctlError:
    why = _words(error)
    return by_words(why).to_error(why=why, address=address)


def _words(error: psycopg.Error) -> str:
    """Return the server's message; from libpq, without the address that our own message names."""
    said = error.diag.message_primary
    if said:
        return f"{said} ({error.diag.message_detail})" if error.diag.message_detail else said
    return words_of_connecting(str(error))


def _diagnosis(error: psycopg.Error) -> Diagnosis:
    said = error.diag
    return Diagnosis(
        sqlstate=error.sqlstate or "",
        message=said.message_primary or str(error),
        detail=said.message_detail or "",
        context=said.context or "",
        position=int(said.statement_position) if said.statement_position else None,
        schema=said.schema_name or "",
        table=said.table_name or "",
        constraint=said.constraint_name or "",
    )
