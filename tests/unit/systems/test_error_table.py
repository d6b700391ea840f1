"""How a driver's error finds its row, and what is made of it."""

import pytest

from opsctl.errors import BusyError, OpsctlError
from opsctl.systems.error_table import ErrorMeaning, meaning_of

FILE = ErrorMeaning(OpsctlError, "cannot use {address}", "Check it.")
BUSY = ErrorMeaning(BusyError, "{address} is busy")
TABLE: dict[type[Exception], ErrorMeaning] = {BlockingIOError: BUSY, OSError: FILE}


@pytest.mark.parametrize(
    ("kind", "row"),
    [(OSError, FILE), (FileNotFoundError, FILE), (BlockingIOError, BUSY), (ValueError, None)],
)
def test_the_nearest_ancestor_answers(kind: type[Exception], row: ErrorMeaning | None) -> None:
    assert meaning_of(kind, TABLE) == row


def test_an_error_says_what_why_and_what_to_do() -> None:
    error = FILE.to_error(why="it is empty", address="/a")

    assert type(error) is OpsctlError
    assert (error.what, error.why, error.hint) == ("cannot use /a", "it is empty", "Check it.")
