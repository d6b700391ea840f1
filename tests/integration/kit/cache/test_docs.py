"""The page of the cache is true: every Python block on it runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[4] / "docs/kit-cache.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_example_runs(redis_url: str, number: int) -> None:
    exec(compile(BLOCKS[number], f"{PAGE.name} block {number}", "exec"), {"url": redis_url})  # noqa: S102 - our own page


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 6
