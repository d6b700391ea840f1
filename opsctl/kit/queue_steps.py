"""A queue on a Redis stream: every job is done at least once, or lies among the dead."""

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.kit.cache.steps import Ask, Run, Steps
from opsctl.systems.redis.target import Command, Script

# What was given out and not acknowledged in time is given out again, to us.
_RESERVE = Script("""
local taken = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0-0', 'COUNT', ARGV[4])
local jobs = {}
for _, entry in ipairs(taken[2]) do
  local seen = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
  local times = seen[1] and seen[1][4] or 1
  local before = tonumber(entry[2][4] or 0)
  if before + times > tonumber(ARGV[5]) then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'data', entry[2][2],
      'why', 'given out ' .. (before + times - 1) .. ' times and never acknowledged')
    redis.call('XACK', KEYS[1], ARGV[1], entry[1])
    redis.call('XDEL', KEYS[1], entry[1])
  else
    table.insert(jobs, {entry[1], entry[2], times})
  end
end
return jobs
""")
# A retry is a new job with its count: whoever waits longer goes first.
_RETRY = Script("""
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
if tonumber(ARGV[4]) >= tonumber(ARGV[5]) then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'data', ARGV[3], 'why', ARGV[7])
  return 2
end
redis.call('XADD', KEYS[1], '*', 'data', ARGV[3], 'tries', ARGV[4])
return 1
""")
_GROUP = "workers"
# What Redis says after its codes NOGROUP and BUSYGROUP, which the driver takes away.
_NO_GROUP = "or consumer group"
_HAS_GROUP = "already exists"


@dataclass(frozen=True, slots=True)
class QueueRules:
    visible_after_s: float = 60.0
    """A job that is not acknowledged for so long is given to another worker."""
    most_tries: int = 5
    most_dead: int = 10_000


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    data: Any
    tries: int
    """1 for the first."""


@dataclass(frozen=True, slots=True)
class DeadJob:
    id: str
    data: Any
    why: str


@dataclass(frozen=True, slots=True)
class Depth:
    waiting: int
    given_out: int
    dead: int


class QueueSteps:
    def __init__(self, prefix: str, name: str, rules: QueueRules) -> None:
        self._rules = rules
        self._stream = f"{prefix}:queue:{name}"
        self._dead = f"{prefix}:queue:{name}:dead"
        self._worker = f"{os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def enqueue(self, data: Any) -> Steps[str]:  # noqa: ANN401 - any JSON
        (reply,) = yield from _all([("XADD", self._stream, "*", "data", json.dumps(data))])
        return str(reply.decode())

    def reserve(self, count: int) -> Steps[list[Job]]:
        """Take what others left lying, then what is new."""
        jobs = yield from self._again(count)
        if len(jobs) < count:
            commands = [self.reading(count - len(jobs), wait_s=0)]
            (reply,) = yield from self._with_group(commands)
            jobs += parse_new(reply)
        return jobs

    def reading(self, count: int, *, wait_s: float) -> Command:
        wait = ("BLOCK", max(1, round(wait_s * 1000))) if wait_s else ()
        who = ("GROUP", _GROUP, self._worker, "COUNT", count)
        return ("XREADGROUP", *who, *wait, "STREAMS", self._stream, ">")

    def _again(self, count: int) -> Steps[list[Job]]:
        rules = self._rules
        idle_ms = round(rules.visible_after_s * 1000)
        args = (_GROUP, self._worker, idle_ms, count, rules.most_tries, rules.most_dead)
        keys = [self._stream, self._dead]
        try:
            found = yield Run(_RESERVE, keys, args)
        except OpsctlError as error:
            if _NO_GROUP not in error.why:
                raise
            yield from self._make_group()
            found = []
        return [_job(*each) for each in found]

    def _with_group(self, commands: Sequence[Command]) -> Steps[list[Any]]:
        try:
            return (yield from _all(commands))
        except OpsctlError as error:
            if _NO_GROUP not in error.why:
                raise
        yield from self._make_group()
        return (yield from _all(commands))

    def _make_group(self) -> Steps[None]:
        """Begin at the first job: after a wiped server nothing that was enqueued is passed over."""
        reply = yield Ask([("XGROUP", "CREATE", self._stream, _GROUP, "0", "MKSTREAM")])
        if isinstance(reply[0], OpsctlError) and _HAS_GROUP not in reply[0].why:
            raise reply[0]

    def ack(self, job: Job) -> Steps[bool]:
        done, _ = yield from _all(
            [("XACK", self._stream, _GROUP, job.id), ("XDEL", self._stream, job.id)]
        )
        return bool(done)

    def retry(self, job: Job, why: str) -> Steps[bool]:
        rules = self._rules
        data = json.dumps(job.data)
        args = (_GROUP, job.id, data, job.tries, rules.most_tries, rules.most_dead, why)
        return bool((yield Run(_RETRY, [self._stream, self._dead], args)))

    def dead(self, count: int) -> Steps[list[DeadJob]]:
        (entries,) = yield from _all([("XREVRANGE", self._dead, "+", "-", "COUNT", count)])
        return [DeadJob(told.decode(), *_dead_fields(fields)) for told, fields in entries]

    def depth(self) -> Steps[Depth]:
        length, dead = yield from _all([("XLEN", self._stream), ("XLEN", self._dead)])
        (pending,) = yield from self._with_group([("XPENDING", self._stream, _GROUP)])
        given_out = int(pending[0])
        return Depth(int(length) - given_out, given_out, int(dead))


def parse_new(reply: Any) -> list[Job]:  # noqa: ANN401 - as Redis has it
    entries = reply[0][1] if reply else []
    return [_job(told, fields, 1) for told, fields in entries]


def _job(told: bytes, fields: Sequence[bytes], times: int) -> Job:
    said = _said(fields)
    return Job(told.decode(), json.loads(said[b"data"]), int(said.get(b"tries", 0)) + int(times))


def _dead_fields(fields: Sequence[bytes]) -> tuple[Any, str]:
    said = _said(fields)
    return json.loads(said[b"data"]), said[b"why"].decode()


def _said(fields: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(fields[::2], fields[1::2], strict=True))


def _all(commands: Sequence[Command]) -> Steps[list[Any]]:
    replies = yield Ask(commands)
    for reply in replies:
        if isinstance(reply, OpsctlError):
            raise reply
    return list(replies)
