"""`Sessions` and `AsyncSessions`: who is logged in, by a token that Redis never sees."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opsctl.errors import OpsctlError
from opsctl.kit.cache.steps import Run, Steps
from opsctl.kit.carry import carry, carry_async
from opsctl.systems.redis.target import Script

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.client import Client

Data = Mapping[str, Any]

_CREATE = Script("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])")
# A look prolongs it, by the server's own clock, and never beyond its end.
_READ = Script("""
local data = redis.call('GET', KEYS[1])
if data and ARGV[1] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return data
""")
_UPDATE = Script("return redis.call('SET', KEYS[1], ARGV[1], 'XX', 'KEEPTTL')")
_ROTATE = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
""")
_EXPIRE = Script("return redis.call('UNLINK', KEYS[1])")


class _SessionSteps:
    def __init__(self, prefix: str, ttl_s: float, *, sliding: bool) -> None:
        self._prefix = prefix
        self._ttl_ms = max(1, round(ttl_s * 1000))
        self._sliding_ms = self._ttl_ms if sliding else 0

    def name(self, token: str) -> str:
        # A digest: who can read Redis cannot take over a session.
        return f"{self._prefix}:session:{hashlib.sha256(token.encode()).hexdigest()}"

    def create(self, data: Data) -> Steps[str]:
        token = secrets.token_urlsafe(32)
        yield Run(_CREATE, [self.name(token)], (json.dumps(data), self._ttl_ms))
        return token

    def read(self, token: str) -> Steps[dict[str, Any] | None]:
        raw = yield Run(_READ, [self.name(token)], (self._sliding_ms,))
        try:
            return None if raw is None else dict(json.loads(raw))
        except (ValueError, TypeError) as error:
            raise OpsctlError("a session cannot be read", why="it is no JSON object") from error

    def update(self, token: str, data: Data) -> Steps[bool]:
        return bool((yield Run(_UPDATE, [self.name(token)], (json.dumps(data),))))

    def rotate(self, token: str) -> Steps[str | None]:
        new = secrets.token_urlsafe(32)
        moved = yield Run(_ROTATE, [self.name(token), self.name(new)])
        return new if moved else None

    def expire(self, token: str) -> Steps[bool]:
        return bool((yield Run(_EXPIRE, [self.name(token)])))


class Sessions:
    """Without Redis nobody is logged in and every call raises: a session is never guessed."""

    def __init__(
        self,
        client: "Client",
        *,
        prefix: str = "opsctl",
        ttl_s: float = 86400.0,
        sliding: bool = True,
    ) -> None:
        self._client = client
        self._steps = _SessionSteps(prefix, ttl_s, sliding=sliding)

    def create(self, data: Data) -> str:
        """Begin a session; its token is for the user alone."""
        return carry(self._client, self._steps.create(data))

    def read(self, token: str) -> dict[str, Any] | None:
        """Take what belongs to a token, and prolong it if sessions slide."""
        return carry(self._client, self._steps.read(token))

    def update(self, token: str, data: Data) -> bool:
        """Replace what belongs to a living session; its end stays."""
        return carry(self._client, self._steps.update(token, data))

    def rotate(self, token: str) -> str | None:
        """Give a session a new token, as after a login; the old one is dead at once."""
        return carry(self._client, self._steps.rotate(token))

    def expire(self, token: str) -> bool:
        return carry(self._client, self._steps.expire(token))


class AsyncSessions:
    """The words of `Sessions`, to be awaited."""

    def __init__(
        self,
        client: "AsyncClient",
        *,
        prefix: str = "opsctl",
        ttl_s: float = 86400.0,
        sliding: bool = True,
    ) -> None:
        self._client = client
        self._steps = _SessionSteps(prefix, ttl_s, sliding=sliding)

    async def create(self, data: Data) -> str:
        return await carry_async(self._client, self._steps.create(data))

    async def read(self, token: str) -> dict[str, Any] | None:
        return await carry_async(self._client, self._steps.read(token))

    async def update(self, token: str, data: Data) -> bool:
        return await carry_async(self._client, self._steps.update(token, data))

    async def rotate(self, token: str) -> str | None:
        return await carry_async(self._client, self._steps.rotate(token))

    async def expire(self, token: str) -> bool:
        return await carry_async(self._client, self._steps.expire(token))
