import string
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.client import RedisPy, RedisTarget
from opsctl.systems.redis.glob import is_literal, literal, matches

TEXTS = st.text(alphabet="ab-]^é.", min_size=1, max_size=6)
PATTERNS = st.text(alphabet="ab*?[]^-\\!é.", min_size=1, max_size=8)


@pytest.fixture
def redis(redis_url: str) -> Iterator[RedisPy]:
    connected = RedisPy(RedisTarget.parse(redis_url), purpose="test", clock=SystemClock())
    yield connected
    connected.close()


@settings(
    max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pattern=PATTERNS, text=TEXTS)
@example(pattern="[?-é", text="]")
def test_redis_says_the_same(redis: RedisPy, pattern: str, text: str) -> None:
    said = redis.batch([("SET", text, 1), ("KEYS", pattern), ("UNLINK", text)])[1]

    assert matches(pattern, text) == (said == [text.encode()])


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("ticker.*", "ticker.kr", True),
        ("tick.*", "ticker.kr", False),
        ("[^k]*", "kr", False),
        ("[!k]*", "kr", True),
        ("ticker.?", "ticker.kr", False),
        ("*" * 200 + "b", "a" * 200, False),
    ],
)
def test_patterns_of_the_stack(pattern: str, text: str, *, expected: bool) -> None:
    assert matches(pattern, text) is expected


@given(st.text(alphabet=string.printable, max_size=8), st.text(max_size=8))
def test_a_literal_matches_itself_alone(text: str, other: str) -> None:
    assert matches(literal(text), text)
    assert matches(literal(text), other) == (text == other)


def test_what_has_no_sign_is_literal() -> None:
    assert is_literal("ticker.kr")
    assert not is_literal("ticker.*")
