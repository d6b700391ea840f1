import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from opsctl.errors import UsageError
from opsctl.kit.cache.arguments import key_builder


class Side(Enum):
    BUY = 1


@dataclass(frozen=True)
class PendingRequest:
    symbol: str
    quantity: Decimal


def function(first: Any, second: Any = 2, *rest: Any, **named: Any) -> None:
    """Stand for any function."""


class Service:
    def method(self, symbol: str) -> None:
        """Stand for any method."""


KEY = key_builder(function, "p", None)


def test_equal_calls_have_one_key_however_they_are_written() -> None:
    assert KEY(1) == KEY(first=1) == KEY(1, 2) == KEY(1, second=2)
    assert KEY(1, named=3, other=4) == KEY(1, other=4, named=3)
    assert KEY({"a": 1, "b": 2}) == KEY({"b": 2, "a": 1})
    assert KEY({3, 1, 2}) == KEY({2, 3, 1})


def test_different_calls_have_different_keys() -> None:
    told = [1, "1", 1.0, True, None, b"1", Decimal(1), [1], {1}, {"1": 1}, Side.BUY]

    assert len({KEY(value) for value in told}) == len(told)


def test_the_object_of_a_method_does_not_count() -> None:
    make = key_builder(Service.method, "p", None)

    assert make(Service(), "005930") == make(Service(), symbol="005930")


def test_values_with_a_stable_form_are_taken() -> None:
    moment = datetime(2026, 1, 12, tzinfo=UTC)

    assert KEY(PendingRequest("a", Decimal("1.0"))) == KEY(PendingRequest("a", Decimal("1.0")))
    assert KEY(PendingRequest("a", Decimal("1.0"))) != KEY(PendingRequest("b", Decimal("1.0")))
    assert KEY(moment) != KEY(date(2026, 1, 12))


def test_what_has_no_stable_form_is_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="cannot cache") as caught:
        KEY(object())

    assert "key=" in caught.value.hint


def test_another_process_makes_the_same_key() -> None:
    code = (
        "from opsctl.kit.cache.arguments import key_builder\n"
        "def function(first, second=2, *rest, **named): pass\n"
        "print(key_builder(function, 'p', None)({'b', 'a', 'c'}, x={'k': 1.5}))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert told == {KEY({"c", "b", "a"}, x={"k": 1.5})}
