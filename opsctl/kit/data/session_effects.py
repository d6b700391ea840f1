"""Sessions in Redis: the scripts, and the digest under which each session is stored."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.kit.redis.effects import Effects, RunScript
from opsctl.systems.redis.target import RedisScript

SessionData = Mapping[str, Any]

_CREATE = RedisScript("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])")
# Reading prolongs a sliding session by the server's own clock, and never one that has ended.
_READ = RedisScript("""
local data = redis.call('GET', KEYS[1])
if data and ARGV[1] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return data
""")
_UPDATE = RedisScript("return redis.call('SET', KEYS[1], ARGV[1], 'XX', 'KEEPTTL')")
_ROTATE = RedisScript("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
""")
_EXPIRE = RedisScript("return redis.call('UNLINK', KEYS[1])")


class SessionEffects:
    def __init__(self, prefix: str, ttl_s: float, *, sliding: bool) -> None:
        self._prefix = prefix
        self._ttl_ms = max(1, round(ttl_s * 1000))
        self._sliding_ms = self._ttl_ms if sliding else 0

    def redis_key(self, token: str) -> str:
        # A digest: whoever can read Redis cannot take over a session.
        return f"{self._prefix}:session:{hashlib.sha256(token.encode()).hexdigest()}"

    def create(self, data: SessionData) -> Effects[str]:
        token = secrets.token_urlsafe(32)
        yield RunScript(_CREATE, [self.redis_key(token)], (json.dumps(data), self._ttl_ms))
        return token

    def read(self, token: str) -> Effects[dict[str, Any] | None]:
        raw = yield RunScript(_READ, [self.redis_key(token)], (self._sliding_ms,))
        try:
            return None if raw is None else dict(json.loads(raw))
        except (ValueError, TypeError) as error:
            raise OpsctlError("cannot read a session", why="it is not a JSON object") from error

    def update(self, token: str, data: SessionData) -> Effects[bool]:
        return bool((yield RunScript(_UPDATE, [self.redis_key(token)], (json.dumps(data),))))

    def rotate(self, token: str) -> Effects[str | None]:
        new_token = secrets.token_urlsafe(32)
        renamed = yield RunScript(_ROTATE, [self.redis_key(token), self.redis_key(new_token)])
        return new_token if renamed else None

    def expire(self, token: str) -> Effects[bool]:
        return bool((yield RunScript(_EXPIRE, [self.redis_key(token)])))
