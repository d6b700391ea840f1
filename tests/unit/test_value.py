from typing import Any

import pytest

from opsctl.value import Value


class Mount(Value):
    """One."""

    path: str
    percent: float
    tags: tuple[str, ...] = ()

    @property
    def is_full(self) -> bool:
        return self.percent >= 100


class Other(Value):
    path: str
    percent: float
    tags: tuple[str, ...] = ()


ROOT = Mount("/", 80.0)


def test_values_come_by_position_by_name_and_by_default() -> None:
    assert Mount("/", percent=80.0, tags=("a",)).tags == ("a",)
    assert (ROOT.path, ROOT.percent, ROOT.tags, ROOT.is_full) == ("/", 80.0, (), False)


def test_the_same_values_are_the_same_noun() -> None:
    assert Mount(path="/", percent=80.0) == ROOT
    assert hash(ROOT) == hash(Mount(path="/", percent=80.0))
    assert Mount("/", 81.0) != ROOT
    assert Other("/", 80.0) != ROOT


def test_a_change_makes_another_one() -> None:
    assert ROOT.replaced(percent=100.0).is_full
    assert ROOT.percent == 80.0


def test_it_shows_all_it_has() -> None:
    assert repr(Mount("/", 1.0, ("a",))) == "Mount(path='/', percent=1.0, tags=('a',))"


@pytest.mark.parametrize(
    ("args", "given"),
    [
        ((), {}),
        (("/",), {}),
        (("/", 1.0), {"path": "/data"}),
        (("/", 1.0, (), 2), {}),
        (("/", 1.0), {"size": 1}),
        ((), {"size": 1}),
    ],
)
def test_what_is_missing_or_too_much_is_refused(args: Any, given: Any) -> None:
    with pytest.raises(TypeError, match="Mount takes path, percent, tags"):
        Mount(*args, **given)


def test_a_change_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError):
        ROOT.replaced(size=1)


def test_it_is_frozen() -> None:
    with pytest.raises(AttributeError, match="frozen"):
        ROOT.percent = 1.0  # type: ignore[misc]  # that is the test
    with pytest.raises(AttributeError, match="frozen"):
        del ROOT.percent


def test_one_noun_may_be_more_than_another() -> None:
    class Slow(Mount):
        wait_s: float = 1.0

    slow = Slow("/", 80.0, wait_s=2.0)

    assert (slow.path, slow.tags, slow.wait_s) == ("/", (), 2.0)
    assert Mount("/", 80.0).tags == ()
    assert slow != ROOT


def test_a_function_stays_a_function() -> None:
    class Asked(Value):
        sha: Any = str

    assert Asked().sha(7) == "7"
