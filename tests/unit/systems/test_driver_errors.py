"""Every exception that a driver can raise has a meaning of ours, chosen and not fallen into."""

from collections.abc import Iterable, Iterator

import httpx2
import psycopg
import pytest
import redis
import redis.asyncio
import redis.sentinel
from psycopg import transaction

from opsctl.errors import (
    BusyError,
    OpsctlError,
    RefusedError,
    SettingsError,
    UnreachableError,
)
from opsctl.systems.http import errors as http_errors
from opsctl.systems.postgres import errors as postgres_errors
from opsctl.systems.postgres.errors import StatementError
from opsctl.systems.redis import errors as redis_errors


def kinds(*roots: type[BaseException]) -> Iterator[type[BaseException]]:
    for root in roots:
        yield root
        yield from kinds(*root.__subclasses__())


def unmapped(
    found: Iterable[type[BaseException]],
    table: Iterable[type[BaseException]],
    *,
    catch_all: set[type[BaseException]],
) -> list[str]:
    """Name those that only a catch-all would take; a catch-all speaks for itself alone."""
    chosen = set(table)
    return [
        kind.__name__
        for kind in found
        if kind not in chosen and not (set(kind.__mro__) & chosen - catch_all)
    ]


def test_every_state_that_postgres_can_answer_is_mapped() -> None:
    states = {str(getattr(kind, "sqlstate", None) or "") for kind in kinds(psycopg.Error)} - {""}

    missing = [
        state for state in states if not {state, state[:2]} & postgres_errors.BY_STATE.keys()
    ]

    assert len(states) > 200
    assert missing == []


def test_every_error_of_psycopg_itself_is_mapped() -> None:
    own = [kind for kind in kinds(psycopg.Error) if not getattr(kind, "sqlstate", None)]

    assert transaction.OutOfOrderTransactionNesting in own
    catch_all: set[type[BaseException]] = {psycopg.Error, psycopg.DatabaseError}
    assert unmapped(own, postgres_errors.BY_CLASS, catch_all=catch_all) == []


def test_every_error_of_redis_is_mapped() -> None:
    found = list(kinds(*redis_errors.DRIVER_ERRORS))
    declared = [
        kind
        for kind in vars(redis.exceptions).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]

    assert set(declared) <= set(found)
    assert unmapped(found, redis_errors.BY_CLASS, catch_all={redis.RedisError}) == []


def test_every_error_of_httpx_is_mapped() -> None:
    found = list(kinds(*http_errors.DRIVER_ERRORS))
    declared = [
        kind
        for kind in vars(httpx2).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]

    assert set(declared) <= set(found)
    catch_all: set[type[BaseException]] = {httpx2.HTTPError, httpx2.RequestError}
    assert unmapped(found, http_errors.BY_CLASS, catch_all=catch_all) == []


@pytest.mark.parametrize(
    ("state", "ours"),
    [
        ("08006", UnreachableError),
        ("57P01", UnreachableError),
        ("57P03", UnreachableError),
        ("53300", UnreachableError),
        ("28P01", SettingsError),
        ("3D000", SettingsError),
        ("25006", RefusedError),
        ("55P03", BusyError),
        ("40P01", BusyError),
        ("40001", BusyError),
        ("40003", StatementError),
        ("57014", StatementError),
        ("42501", StatementError),
        ("53100", StatementError),
        ("23505", StatementError),
    ],
)
def test_a_state_of_postgres_has_the_error_that_its_caller_expects(
    state: str, ours: type[OpsctlError]
) -> None:
    error = psycopg.errors.lookup(state)("said")

    assert type(postgres_errors.translate(error, "h:5432/db")) is ours


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ('FATAL:  password authentication failed for user "u"', SettingsError),
        ("fe_sendauth: no password supplied", SettingsError),
        ('FATAL:  role "u" does not exist', SettingsError),
        ('FATAL:  no pg_hba.conf entry for host "h", user "u", database "d"', SettingsError),
        ('FATAL:  database "d" does not exist', SettingsError),
        ("FATAL:  unsupported startup parameter: options", SettingsError),
        ("server does not support SSL, but SSL was required", SettingsError),
        ('invalid port number: "99999"', SettingsError),
        ("FATAL:  sorry, too many clients already", UnreachableError),
        ("FATAL:  remaining connection slots are reserved", UnreachableError),
        ("FATAL:  the database system is starting up", UnreachableError),
        ("Connection refused\n\tIs the server running on that host", UnreachableError),
        ("server closed the connection unexpectedly", UnreachableError),
    ],
)
def test_words_of_a_failed_connection_have_the_error_that_fits(
    words: str, ours: type[OpsctlError]
) -> None:
    said = f'connection failed: connection to server at "127.0.0.1", port 5432 failed: {words}'

    error = postgres_errors.translate_connecting(psycopg.OperationalError(said), "h:5432/db")

    assert type(error) is ours
    assert error.why == words.removeprefix("FATAL:  ").partition("\n")[0]


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (redis.exceptions.BusyLoadingError("loading"), UnreachableError),
        (redis.exceptions.InvalidResponse("?"), UnreachableError),
        (redis.exceptions.AuthenticationError("no"), SettingsError),
        (redis.exceptions.ReadOnlyError("replica"), RefusedError),
        (redis.exceptions.MaxConnectionsError("all"), BusyError),
        (redis.exceptions.WatchError("changed"), BusyError),
        (redis.exceptions.ResponseError("ERR"), OpsctlError),
    ],
)
def test_an_error_of_redis_is_the_one_that_its_caller_expects(
    raised: Exception, ours: type[OpsctlError]
) -> None:
    assert type(redis_errors.translate(raised, "h:6379/0", limit_s=1, secret="")) is ours
