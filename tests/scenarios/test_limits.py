"""`opsctl limits`, as installed, on a real Redis."""

import pytest

from opsctl.kit import DART, KIS, LimitPolicies, RateLimiter, RedisClient
from tests.scenarios.conftest import Program


@pytest.fixture
def limiter(redis_url: str) -> RateLimiter:
    """Made by a service; the terminal knows only the server."""
    return RateLimiter(RedisClient(redis_url), policies=LimitPolicies(after_restart="trust"))


@pytest.fixture
def project(opsctl: Program, redis_url: str) -> Program:
    opsctl("init", "-q")
    opsctl.environ["REDIS_URL"] = redis_url
    return opsctl


def test_show_says_what_is_used_and_who_waits(project: Program, limiter: RateLimiter) -> None:
    for _ in range(3):
        limiter.allow(DART.of("key-1"))

    shown = project("limits", "show", "--json")

    (dart,) = shown.json["limits"]
    assert (dart["name"], dart["subject"], dart["used"]) == ("dart", "key-1", 3)
    assert (dart["limit"], dart["window_s"], dart["next_in_s"]) == (100, 60.0, 0.0)


def test_show_is_readable(project: Program, limiter: RateLimiter) -> None:
    limiter.allow(DART)

    shown = project("limits", "show")

    assert shown.code == 0
    assert shown.out.splitlines()[1].split() == ["dart", "all", "100/60s", "1", "0", "now"]


def test_a_limit_nobody_has_used_is_said(project: Program) -> None:
    shown = project("limits", "show")

    assert shown.out == "No service has used a limit under opsctl yet.\n"


def test_reset_lets_calls_through_at_once(project: Program, limiter: RateLimiter) -> None:
    while limiter.allow(DART).allowed:
        pass

    done = project("limits", "reset", "dart", "--yes", "--json")

    assert (done.code, done.json["forgotten"]) == (0, 100)
    assert limiter.allow(DART).allowed


def test_a_dry_run_forgets_nothing(project: Program, limiter: RateLimiter) -> None:
    while limiter.allow(DART).allowed:
        pass

    done = project("limits", "reset", "dart", "-n")

    assert (done.code, done.out) == (0, "opsctl:limit:dart: forget\n")
    assert not limiter.allow(DART).allowed


def test_reset_asks_and_in_prod_by_name(project: Program, limiter: RateLimiter) -> None:
    limiter.allow(DART)

    assert project("limits", "reset", "dart").code == 2
    assert project("limits", "reset", "dart", "-e", "prod", "--yes").code == 2
    assert project("limits", "reset", "dart", "-e", "prod", "--confirm", "dev").code == 5
    assert project("limits", "reset", "dart", "-e", "prod", "--confirm", "prod").code == 0


def test_an_unknown_limit_is_refused_with_the_known_ones(
    project: Program, limiter: RateLimiter
) -> None:
    limiter.allow(KIS)

    done = project("limits", "reset", "kiss", "--yes")

    assert done.code == 2
    assert "Use one of kis." in done.err


def test_wildcards_in_a_name_are_letters(project: Program, limiter: RateLimiter) -> None:
    limiter.allow(DART.of("a"))

    assert project("limits", "reset", "d*", "--yes").code == 2


def test_without_redis_it_says_why(project: Program) -> None:
    off = project("limits", "show", environ={"REDIS_ENABLED": "false"})
    dead = project("limits", "show", environ={"REDIS_URL": "redis://127.0.0.1:1/0"})

    assert (off.code, dead.code) == (7, 7)
    assert "REDIS_ENABLED is false" in off.err
