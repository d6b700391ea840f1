"""What Redis and its driver can say went wrong, each as one of our errors."""

import ssl
from dataclasses import dataclass

from redis import exceptions

from opsctl.errors import BusyError, OpsctlError, RefusedError, SettingsError, UnreachableError
from opsctl.systems.network.sockets import reason


@dataclass(frozen=True, slots=True)
class Meaning:
    error: type[OpsctlError]
    what: str
    hint: str = ""


_BUG = Meaning(OpsctlError, "the Redis driver was misused at {address}", "Report this.")
_LOGIN = Meaning(
    SettingsError,
    "Redis at {address} does not let us in",
    "Check the user and the password: REDIS_PASSWORD, or the address in REDIS_URL.",
)
_DEAD = Meaning(
    UnreachableError, "no answer from Redis at {address}", "Is it up, and is this its address?"
)
_CLUSTER = Meaning(
    OpsctlError,
    "Redis at {address} is a cluster that cannot serve this key",
    "opsctl speaks to single servers and their replicas.",
)
_NO_CONNECTION = Meaning(
    BusyError, "all our connections to Redis at {address} are in use", "Try again."
)
_COMMAND = Meaning(OpsctlError, "Redis refused a command at {address}")

# Found by the nearest ancestor.
BY_CLASS: dict[type[BaseException], Meaning] = {
    exceptions.RedisError: _BUG,
    exceptions.ResponseError: _COMMAND,
    exceptions.ConnectionError: _DEAD,
    exceptions.TimeoutError: _DEAD,
    exceptions.BusyLoadingError: Meaning(
        UnreachableError,
        "Redis at {address} is still loading its data",
        "Try again in a few seconds.",
    ),
    exceptions.MaxConnectionsError: _NO_CONNECTION,
    exceptions.AuthenticationError: _LOGIN,
    exceptions.AuthenticationWrongNumberOfArgsError: _LOGIN,
    exceptions.AuthorizationError: _LOGIN,
    exceptions.ExternalAuthProviderError: _LOGIN,
    exceptions.NoPermissionError: Meaning(
        OpsctlError,
        "Redis at {address} does not allow this user a command",
        "Add it to the user's rules: ACL SETUSER.",
    ),
    exceptions.ReadOnlyError: Meaning(
        RefusedError, "Redis at {address} is a replica", "Write to its master: see ROLE."
    ),
    exceptions.OutOfMemoryError: Meaning(
        OpsctlError, "Redis at {address} is full", "Raise maxmemory, or delete keys."
    ),
    exceptions.WatchError: Meaning(
        BusyError, "someone else changed the same keys at {address}", "Try again."
    ),
    exceptions.LockError: Meaning(BusyError, "a lock at {address} is not ours", "Try again."),
    exceptions.InvalidResponse: Meaning(
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
_NO_INDEX = Meaning(
    SettingsError, "Redis has no such index: {address}", "Use 0 to 15, or raise `databases`."
)


# What the driver or the server tells apart by words alone.
BY_WORDS = (("DB index is out of range", _NO_INDEX), ("No connection available", _NO_CONNECTION))


def meaning_of(kind: type[BaseException]) -> Meaning | None:
    return next((BY_CLASS[parent] for parent in kind.__mro__ if parent in BY_CLASS), None)


def translate(error: Exception, address: str, *, limit_s: float, secret: str) -> OpsctlError:
    by_words = (meaning for words, meaning in BY_WORDS if words in str(error))
    meaning = next(by_words, None) or meaning_of(type(error)) or _BUG
    why = f"no answer within {limit_s:g} s" if _late(error) else reason(error)
    # A server that knows no AUTH repeats its arguments: "unknown command ... beginning with".
    why = why.replace(secret, "***") if secret else why
    return meaning.error(meaning.what.format(address=address), why=why, hint=meaning.hint)


def _late(error: Exception) -> bool:
    cause = error.__context__
    return isinstance(error, exceptions.TimeoutError) or (
        isinstance(cause, TimeoutError) and not isinstance(cause, ssl.SSLError)
    )
