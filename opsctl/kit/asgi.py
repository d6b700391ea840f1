"""Limits for FastAPI and Starlette: 429 with X-RateLimit-* and Retry-After; `opsctl[fastapi]`."""

import math
from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opsctl.kit.limit_counts import Decision
from opsctl.kit.limiter import AsyncRateLimiter, named
from opsctl.kit.rates import Rate

_TOO_MANY = 429


def client_address(request: Request) -> str:
    """Count by the address of the connection; behind a proxy that is the proxy's."""
    return request.client.host if request.client else ""


class Limited:
    """`Depends(Limited(limiter, rate))`; in Starlette, `await limited(request, response)`."""

    def __init__(
        self,
        limiter: AsyncRateLimiter,
        rate: Rate | str,
        *,
        subject: Callable[[Request], str] = client_address,
    ) -> None:
        self._limiter = limiter
        self._rate = named(rate, limiter.rates)
        self._subject = subject

    async def __call__(self, request: Request, response: Response) -> Decision:
        rate = self._rate.of(self._subject(request))
        decision = await self._limiter.allow(rate)
        headers = headers_for(rate, decision)
        if not decision.allowed:
            raise HTTPException(_TOO_MANY, "Too many requests", headers=dict(headers))
        response.headers.update(headers)
        return decision


def headers_for(rate: Rate, decision: Decision) -> Mapping[str, str]:
    """Say the limit, what is left of it, and in how many whole seconds there is room again."""
    wait_s = math.ceil(decision.retry_after)
    headers = {
        "X-RateLimit-Limit": str(rate.limit),
        "X-RateLimit-Remaining": str(decision.remaining),
        "X-RateLimit-Reset": str(wait_s if not decision.allowed else math.ceil(rate.window_s)),
    }
    return headers if decision.allowed else {**headers, "Retry-After": str(max(1, wait_s))}
