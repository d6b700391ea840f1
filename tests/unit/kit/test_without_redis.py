"""Every part without a Redis: nothing raises at import, nothing hangs, nothing is silent."""

import pytest

from opsctl.kit import (
    KIS,
    Breaker,
    HttpClient,
    HttpSettings,
    LimitPolicies,
    RateLimiter,
    RedisClient,
)
from opsctl.kit.testing import FakeClock, FakeHttp

URL = "https://api.example.test/price"


@pytest.mark.parametrize(("policy", "allowed"), [("closed", 0), ("local", 5), ("open", 9)])
def test_a_limit_follows_its_policy(policy: str, allowed: int) -> None:
    policies = LimitPolicies(policy, processes=1)  # type: ignore[arg-type]  # one of the three
    limiter = RateLimiter(RedisClient(enabled=False, clock=FakeClock()), policies=policies)

    assert sum(limiter.allow(KIS).allowed for _ in range(9)) == allowed


def test_http_with_limit_and_breaker_goes_on() -> None:
    clock = FakeClock()
    limiter = RateLimiter(
        RedisClient(enabled=False, clock=clock), policies=LimitPolicies(processes=1)
    )
    pool = FakeHttp().answers("GET", URL, body="1")

    with HttpClient(HttpSettings(), pool, clock) as bare:
        http = bare.with_rate_limiter(limiter, KIS).with_breaker(Breaker("api", clock=clock))
        answers = [http.get(URL).text for _ in range(6)]

    assert (answers, clock.steady()) == (["1"] * 6, 1.0)
