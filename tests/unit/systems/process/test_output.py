import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsctl.systems.process.output import LINE_LIMIT_BYTES, Lines, redact

SECRET = 'p@ss "word"/1'


@pytest.mark.parametrize("form", [SECRET, quote(SECRET, safe=""), json.dumps(SECRET)])
def test_a_secret_is_masked_however_it_is_written(form: str) -> None:
    assert "word" not in redact(f"cannot log in with {form}", (SECRET,))


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    assert redact("abc-long abc", ("abc", "abc-long")) == "*** ***"


def test_each_line_of_a_key_is_masked() -> None:
    assert redact("bad line: MIIEpA", ("-----BEGIN-----\nMIIEpA\n",)) == "bad line: ***"


def test_a_short_line_of_a_secret_is_not_masked_everywhere() -> None:
    assert redact("{web} is up", ('{\n "a": "MIIEpA"\n}',)) == "{web} is up"


def test_an_empty_secret_masks_nothing() -> None:
    assert redact("plain", ("",)) == "plain"


def lines_of(data: bytes, *, cuts: int, secrets: tuple[str, ...] = ()) -> list[str]:
    heard: list[str] = []
    lines = Lines(secrets, heard.append)
    for start in range(0, len(data), cuts):
        lines.take(data[start : start + cuts])
    lines.end()
    return heard


@given(st.lists(st.text("ab é", max_size=20)), st.integers(1, 9))
def test_lines_are_whole_however_they_arrive(texts: list[str], cuts: int) -> None:
    data = "".join(f"{text}\n" for text in texts).encode()

    assert lines_of(data, cuts=cuts) == texts


def test_a_last_line_needs_no_break() -> None:
    assert lines_of(b"one\r\ntwo", cuts=3) == ["one", "two"]


@given(st.integers(-40, 40))
def test_no_half_of_a_secret_is_left_where_a_long_line_is_cut(offset: int) -> None:
    canary = "0123456789abcdef"
    data = b"x" * (LINE_LIMIT_BYTES + offset) + canary.encode() + b"y" * 100_000

    (line,) = lines_of(data, cuts=30_000, secrets=(canary,))

    assert "0" not in line
    assert len(line) <= LINE_LIMIT_BYTES + len(canary)
