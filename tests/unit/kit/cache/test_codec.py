import json
import struct
import sys
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsctl.kit.cache.codec import Codec, Json, stale_of
from opsctl.kit.cache.model import PRESETS, CorruptError
from opsctl.settings.sections.cache import CacheSettings

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Shouting:
    """A serialiser of somebody's own."""

    def dumps(self, value: Any) -> bytes:
        return str(value).upper().encode()

    def loads(self, data: bytes) -> Any:
        return data.decode()


def codec(**given_: Any) -> Codec:
    return Codec(**{"compress_over": 64, "most_bytes": 4096} | given_)


@given(JSON, st.sampled_from([0.0, 1.5]))
def test_what_goes_in_comes_out(value: Any, stale_s: float) -> None:
    one = codec(most_bytes=10**6)
    payload = one.encode(value)
    assert payload is not None

    stored = one.unwrap(one.wrap(payload, stale_s=stale_s, cost_s=0.25))

    assert one.decode(stored.payload) == value
    assert stored.stale_s == stale_s


def test_numbers_are_stored_so_that_redis_can_count_them() -> None:
    assert codec().wrap(41) == b"41"
    assert codec(serializer=Shouting()).unwrap(b"42").payload == 42


def test_true_is_no_number() -> None:
    assert codec().encode(value=True) == b"true"


def test_large_values_are_compressed_and_too_large_ones_refused() -> None:
    long = "q" * 3000

    raw = codec().wrap(codec().encode(long) or b"")

    assert len(raw) < 100
    assert codec().decode(codec().unwrap(raw).payload) == long
    assert codec().encode("q" * 5000) is None


def test_what_does_not_shrink_is_left_as_it_is() -> None:
    noise = bytes(range(256)).hex()[::3].encode()

    assert codec().wrap(zlib.compress(noise)).endswith(zlib.compress(noise))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x80\x04\x95pickle",
        b"text",
        b"\x01",
        b"\x01\x01" + bytes(8) + b"not zlib",
        struct.pack("<BBII", 1, 1, 0, 0) + zlib.compress(b"q" * 10_000_000),
        struct.pack("<BBII", 1, 1, 0, 0) + zlib.compress(b"q" * 1000)[:-5],
    ],
)
def test_what_is_not_ours_is_corrupt_and_never_run_or_blown_up(raw: bytes) -> None:
    with pytest.raises(CorruptError):
        codec().unwrap(raw)


def test_the_stale_tail_can_be_read_from_the_head_alone() -> None:
    raw = codec().wrap(b'"x"', stale_s=2.5)

    assert (stale_of(raw[:10]), stale_of(b"41"), stale_of(b"")) == (2.5, 0.0, 0.0)


def test_a_serialiser_of_ones_own_is_used() -> None:
    one = codec(serializer=Shouting())

    assert one.decode(one.encode("loud") or b"") == "LOUD"


def test_json_works_without_orjson_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"name": "삼성전자", "price": [71000.5, None, True]}
    fast = Json()
    monkeypatch.setitem(sys.modules, "orjson", None)
    slow = Json()

    assert slow.loads is json.loads
    assert slow.dumps(value) == fast.dumps(value)
    assert slow.loads(fast.dumps(value)) == value


def test_the_kit_and_the_settings_have_the_same_lives() -> None:
    assert dict(CacheSettings().lives) == dict(PRESETS)
