"""`AsyncSessions`: who is logged in, by a token that Redis never sees."""

from typing import TYPE_CHECKING, Any

from opsctl.kit.data.session_effects import SessionData, SessionEffects
from opsctl.kit.redis.async_run_effects import run_effects

if TYPE_CHECKING:
    from opsctl.kit.redis.async_client import AsyncRedisClient


class AsyncSessions:
    """Without Redis every call raises, so that nobody is mistaken for logged in."""

    def __init__(
        self,
        client: "AsyncRedisClient",
        *,
        prefix: str = "opsctl",
        ttl_s: float = 86400.0,
        sliding: bool = True,
    ) -> None:
        self._client = client
        self._effects = SessionEffects(prefix, ttl_s, sliding=sliding)

    async def create(self, data: SessionData) -> str:
        """Start a session and return its token, which only the user should have."""
        return await run_effects(self._client, self._effects.create(data))

    async def read(self, token: str) -> dict[str, Any] | None:
        """Return the data of a session, and prolong it if sessions are sliding."""
        return await run_effects(self._client, self._effects.read(token))

    async def update(self, token: str, data: SessionData) -> bool:
        """Replace the data of a session; it still ends at the same time."""
        return await run_effects(self._client, self._effects.update(token, data))

    async def rotate(self, token: str) -> str | None:
        """Give a session a new token, as after a login; the old one is invalid at once."""
        return await run_effects(self._client, self._effects.rotate(token))

    async def expire(self, token: str) -> bool:
        """End a session; false when there was none."""
        return await run_effects(self._client, self._effects.expire(token))
