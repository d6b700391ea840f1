"""Translate the errors of Redis and its driver into ours."""

import ssl

from redis import exceptions

from opsctl.errors import BusyError, OpsctlError, RefusedError, SettingsError, UnreachableError
from opsctl.systems.error_table import ErrorMeaning, meaning_of
from opsctl.systems.network.sockets import reason

_BUG = ErrorMeaning(OpsctlError, "the Redis driver was misused at {address}", "Report this.")
_LOGIN = ErrorMeaning(
    SettingsError,
    "Redis at {address} does not accept the login",
    "Check the user and the password: REDIS_PASSWORD, or the address in REDIS_URL.",
)
_DEAD = ErrorMeaning(
    UnreachableError, "no answer from Redis at {address}", "Is it running, and is this its address?"
)
_CLUSTER = ErrorMeaning(
    OpsctlError,
    "Redis at {address} is a cluster that cannot serve this key",
    "opsctl speaks to single servers and their replicas.",
)
_NO_CONNECTION = ErrorMeaning(
    BusyError, "all connections to Redis at {address} are in use", "Try again."
)
_COMMAND = ErrorMeaning(OpsctlError, "Redis refused a command at {address}")

BY_CLASS: dict[type[Exception], ErrorMeaning] = {
    exceptions.RedisError: _BUG,
    exceptions.ResponseError: _COMMAND,
    exceptions.ConnectionError: _DEAD,
    exceptions.TimeoutError: _DEAD,
    exceptions.BusyLoadingError: ErrorMeaning(
        UnreachableError,
        "Redis at {address} is still loading its data",
        "Try again in a few seconds.",
    ),
    exceptions.MaxConnectionsError: _NO_CONNECTION,
    exceptions.AuthenticationError: _LOGIN,
    exceptions.AuthenticationWrongNumberOfArgsError: _LOGIN,
    exceptions.AuthorizationError: _LOGIN,
    exceptions.ExternalAuthProviderError: _LOGIN,
    exceptions.NoPermissionError: ErrorMeaning(
        OpsctlError,
        "Redis at {address} does not allow this user a command",
        "Add it to the user's rules: ACL SETUSER.",
    ),
    exceptions.ReadOnlyError: ErrorMeaning(
        RefusedError, "Redis at {address} is a replica", "Write to its master: see ROLE."
    ),
    exceptions.OutOfMemoryError: ErrorMeaning(
        OpsctlError, "Redis at {address} is full", "Raise maxmemory, or delete keys."
    ),
    exceptions.WatchError: ErrorMeaning(
        BusyError, "someone else changed the same keys at {address}", "Try again."
    ),
    exceptions.LockError: ErrorMeaning(
        BusyError, "a lock at {address} belongs to another client", "Try again."
    ),
    exceptions.InvalidResponse: ErrorMeaning(
        UnreachableError, "what answers at {address} is not Redis", "Check host and port."
    ),
    exceptions.ClusterError: _CLUSTER,
    exceptions.AskError: _CLUSTER,
    exceptions.TryAgainError: _CLUSTER,
    exceptions.ClusterCrossSlotError: _CLUSTER,
    exceptions.RedisClusterException: _CLUSTER,
    exceptions.DataError: _BUG,
    exceptions.PubSubError: _BUG,
    exceptions.ChildDeadlockedError: _BUG,
    exceptions.IncorrectPolicyType: _BUG,
}
DRIVER_ERRORS = (
    exceptions.RedisError,
    exceptions.RedisClusterException,
    exceptions.ChildDeadlockedError,
    exceptions.IncorrectPolicyType,
)
_NO_INDEX = ErrorMeaning(
    SettingsError, "Redis has no such index: {address}", "Use 0 to 15, or raise `databases`."
)


# Errors that only their text tells apart.
BY_TEXT = (("DB index is out of range", _NO_INDEX), ("No connection available", _NO_CONNECTION))


def translate(error: Exception, address: str, *, limit_s: float, secret: str) -> OpsctlError:
    by_text = (meaning for text, meaning in BY_TEXT if text in str(error))
    meaning = next(by_text, None) or meaning_of(type(error), BY_CLASS) or _BUG
    why = f"no answer within {limit_s:g} s" if _is_late(error) else reason(error)
    # A server that knows no AUTH repeats its arguments: "unknown command ... beginning with".
    why = why.replace(secret, "***") if secret else why
    return meaning.to_error(why=why, address=address)


def _is_late(error: Exception) -> bool:
    cause = error.__context__
    return isinstance(error, exceptions.TimeoutError) or (
        isinstance(cause, TimeoutError) and not isinstance(cause, ssl.SSLError)
    )
