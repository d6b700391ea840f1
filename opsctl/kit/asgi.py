"""Rate limits for FastAPI and Starlette: 429, X-RateLimit-* and Retry-After; `opsctl[fastapi]`."""

import math
from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opsctl.kit.limits.async_limiter import AsyncRateLimiter
from opsctl.kit.limits.rates import Rate, find_rate
from opsctl.kit.limits.state import LimitDecision

_TOO_MANY_REQUESTS = 429


def client_address(request: Request) -> str:
    """Return the address of the connection; behind a proxy that is the proxy's."""
    return request.client.host if request.client else ""


class RateLimitDependency:
    """`Depends(RateLimitDependency(limiter, rate))`; in Starlette, await it yourself."""

    def __init__(
        self,
        limiter: AsyncRateLimiter,
        rate: Rate | str,
        *,
        subject: Callable[[Request], str] = client_address,
    ) -> None:
        self._limiter = limiter
        self._rate = find_rate(rate, limiter.rates)
        self._subject = subject

    async def __call__(self, request: Request, response: Response) -> LimitDecision:
        rate = self._rate.of(self._subject(request))
        decision = await self._limiter.allow(rate)
        headers = rate_limit_headers(rate, decision)
        if not decision.allowed:
            raise HTTPException(_TOO_MANY_REQUESTS, "Too many requests", headers=dict(headers))
        response.headers.update(headers)
        return decision


def rate_limit_headers(rate: Rate, decision: LimitDecision) -> Mapping[str, str]:
    """Return the limit, what remains of it, and in how many seconds there is room again."""
    wait_s = math.ceil(decision.retry_after)
    headers = {
        "X-RateLimit-Limit": str(rate.limit),
        "X-RateLimit-Remaining": str(decision.remaining),
        "X-RateLimit-Reset": str(wait_s if not decision.allowed else math.ceil(rate.window_s)),
    }
    return headers if decision.allowed else {**headers, "Retry-After": str(max(1, wait_s))}
