"""A queue on a Redis stream with a consumer group: the commands, and what their replies mean."""

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.kit.redis.effects import Effects, RunScript, SendCommands, send_commands
from opsctl.systems.redis.target import Command, RedisScript

# Jobs that were reserved and not acknowledged in time are given to this worker.
_RESERVE = RedisScript("""
local claimed =
  redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0-0', 'COUNT', ARGV[4])
local jobs = {}
for _, entry in ipairs(claimed[2]) do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
  local deliveries = pending[1] and pending[1][4] or 1
  local before = tonumber(entry[2][4] or 0)
  if before + deliveries > tonumber(ARGV[5]) then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'data', entry[2][2],
      'why', 'reserved ' .. (before + deliveries - 1) .. ' times and never acknowledged')
    redis.call('XACK', KEYS[1], ARGV[1], entry[1])
    redis.call('XDEL', KEYS[1], entry[1])
  else
    table.insert(jobs, {entry[1], entry[2], deliveries})
  end
end
return jobs
""")
# A retry is a new entry with its count: jobs that have waited longer go first.
_RETRY = RedisScript("""
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
# The text of the errors NOGROUP and BUSYGROUP; the driver removes the codes.
_NO_GROUP = "or consumer group"
_HAS_GROUP = "already exists"


@dataclass(frozen=True, slots=True)
class QueueRules:
    visible_after_s: float = 60.0
    """A job that is not acknowledged for this long is given to another worker."""
    max_attempts: int = 5
    max_dead: int = 10_000
    """Dead jobs that are kept."""


@dataclass(frozen=True, slots=True)
class QueueJob:
    id: str
    data: Any
    attempt: int
    """1 for the first."""


@dataclass(frozen=True, slots=True)
class DeadJob:
    id: str
    data: Any
    why: str


@dataclass(frozen=True, slots=True)
class QueueDepth:
    waiting: int
    reserved: int
    dead: int


class QueueEffects:
    def __init__(self, prefix: str, name: str, rules: QueueRules) -> None:
        self._rules = rules
        self._stream = f"{prefix}:queue:{name}"
        self._dead = f"{prefix}:queue:{name}:dead"
        self._worker = f"{os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def enqueue(self, data: Any) -> Effects[str]:  # noqa: ANN401 - any JSON
        command = ("XADD", self._stream, "*", "data", json.dumps(data))
        (reply,) = yield from send_commands([command])
        return str(reply.decode())

    def reserve(self, count: int) -> Effects[list[QueueJob]]:
        """Take the jobs that others left unacknowledged, then new ones."""
        jobs = yield from self._claim(count)
        if len(jobs) < count:
            commands = [self.read_command(count - len(jobs), wait_s=0)]
            (reply,) = yield from self._with_group(commands)
            jobs += parse_new_jobs(reply)
        return jobs

    def read_command(self, count: int, *, wait_s: float) -> Command:
        wait = ("BLOCK", max(1, round(wait_s * 1000))) if wait_s else ()
        consumer = ("GROUP", _GROUP, self._worker, "COUNT", count)
        return ("XREADGROUP", *consumer, *wait, "STREAMS", self._stream, ">")

    def _claim(self, count: int) -> Effects[list[QueueJob]]:
        rules = self._rules
        idle_ms = round(rules.visible_after_s * 1000)
        args = (_GROUP, self._worker, idle_ms, count, rules.max_attempts, rules.max_dead)
        keys = [self._stream, self._dead]
        try:
            claimed = yield RunScript(_RESERVE, keys, args)
        except OpsctlError as error:
            if _NO_GROUP not in error.why:
                raise
            yield from self._make_group()
            claimed = []
        return [_parse_job(*entry) for entry in claimed]

    def _with_group(self, commands: Sequence[Command]) -> Effects[list[Any]]:
        try:
            return (yield from send_commands(commands))
        except OpsctlError as error:
            if _NO_GROUP not in error.why:
                raise
        yield from self._make_group()
        return (yield from send_commands(commands))

    def _make_group(self) -> Effects[None]:
        """Start at the first entry: jobs enqueued after Redis was wiped are not skipped."""
        reply = yield SendCommands([("XGROUP", "CREATE", self._stream, _GROUP, "0", "MKSTREAM")])
        if isinstance(reply[0], OpsctlError) and _HAS_GROUP not in reply[0].why:
            raise reply[0]

    def ack(self, job: QueueJob) -> Effects[bool]:
        commands = [("XACK", self._stream, _GROUP, job.id), ("XDEL", self._stream, job.id)]
        acknowledged, _ = yield from send_commands(commands)
        return bool(acknowledged)

    def retry(self, job: QueueJob, why: str) -> Effects[bool]:
        rules = self._rules
        data = json.dumps(job.data)
        args = (_GROUP, job.id, data, job.attempt, rules.max_attempts, rules.max_dead, why)
        return bool((yield RunScript(_RETRY, [self._stream, self._dead], args)))

    def list_dead(self, count: int) -> Effects[list[DeadJob]]:
        command = ("XREVRANGE", self._dead, "+", "-", "COUNT", count)
        (entries,) = yield from send_commands([command])
        return [_parse_dead_job(entry_id, fields) for entry_id, fields in entries]

    def depth(self) -> Effects[QueueDepth]:
        commands = [("XLEN", self._stream), ("XLEN", self._dead)]
        length, dead = yield from send_commands(commands)
        (pending,) = yield from self._with_group([("XPENDING", self._stream, _GROUP)])
        reserved = int(pending[0])
        return QueueDepth(int(length) - reserved, reserved, int(dead))


def parse_new_jobs(reply: Any) -> list[QueueJob]:  # noqa: ANN401 - a reply of Redis
    entries = reply[0][1] if reply else []
    return [_parse_job(entry_id, fields, 1) for entry_id, fields in entries]


def _parse_job(entry_id: bytes, fields: Sequence[bytes], deliveries: int) -> QueueJob:
    values = _parse_fields(fields)
    attempt = int(values.get(b"tries", 0)) + int(deliveries)
    return QueueJob(entry_id.decode(), json.loads(values[b"data"]), attempt)


def _parse_dead_job(entry_id: bytes, fields: Sequence[bytes]) -> DeadJob:
    values = _parse_fields(fields)
    return DeadJob(entry_id.decode(), json.loads(values[b"data"]), values[b"why"].decode())


def _parse_fields(fields: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(fields[::2], fields[1::2], strict=True))
