"""What can happen to a Redis in the middle of things, and the way back from each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from tests.engines.redis import OwnRedis, RedisServer
from tests.slow_line import SlowLine, slow_line

LOGIN = "app:right@"
IN_TIME_S = 0.02
TOO_LATE_S = 2.0
_NOBODY = ("127.0.0.1", "1")


@dataclass(frozen=True, slots=True)
class Stage:
    """A server, and the line and the user by which a service knows it."""

    server: RedisServer
    line: SlowLine

    @property
    def url(self) -> str:
        return self.line.url


@dataclass(frozen=True, slots=True)
class Fault:
    begin: Callable[[Stage], object]
    end: Callable[[Stage], object]


def _admin(*words: str) -> Callable[[Stage], object]:
    return lambda stage: stage.server.cli(*words)


def _late(delay_s: float) -> Callable[[Stage], object]:
    return lambda stage: setattr(stage.line, "delay_s", delay_s)


def _user(stage: Stage) -> None:
    """Let the service in; a server forgets its users when it restarts."""
    stage.server.cli("ACL", "SETUSER", "app", "reset", "on", ">right", "~*", "&*", "+@all")


def _restart(stage: Stage) -> None:
    stage.server.kill()
    _return(stage)


def _return(stage: Stage) -> None:
    stage.server.start()
    _user(stage)


def _change_password(stage: Stage) -> None:
    stage.server.cli("ACL", "SETUSER", "app", "resetpass", ">changed")
    stage.server.cli("CLIENT", "KILL", "USER", "app")


def _nothing(_: Stage) -> None:
    pass


FAULTS = {
    "killed": Fault(lambda stage: stage.server.kill(), _return),
    "hung": Fault(lambda stage: stage.server.freeze(), lambda stage: stage.server.thaw()),
    "wiped": Fault(_admin("FLUSHALL"), _nothing),
    "restarted": Fault(_restart, _nothing),
    "slow": Fault(_late(IN_TIME_S), _late(0.0)),
    "too slow": Fault(_late(TOO_LATE_S), _late(0.0)),
    "full": Fault(
        _admin("CONFIG", "SET", "maxmemory", "1"), _admin("CONFIG", "SET", "maxmemory", "0")
    ),
    "replica": Fault(_admin("REPLICAOF", *_NOBODY), _admin("REPLICAOF", "NO", "ONE")),
    "wrong password": Fault(_change_password, _user),
    "no rights": Fault(_admin("ACL", "SETUSER", "app", "-@all", "+ping", "+select"), _user),
}


SLOW = ("slow", "too slow")


@contextmanager
def stage(own_redis: OwnRedis, fault: str) -> Iterator[Stage]:
    """Start a server for a fault; only what is to be slow has a line in between."""
    server = own_redis()
    url = server.url(1).replace("redis://", f"redis://{LOGIN}")
    with slow_line(url) if fault in SLOW else nullcontext(SlowLine(url, 0.0)) as line:
        made = Stage(server, line)
        _user(made)
        yield made
