import pytest

from opsctl.cli.root import requested_format, translate_error
from opsctl.cli.session import Session
from opsctl.errors import RefusedError


@pytest.mark.parametrize(
    ("words", "form"),
    [
        ([], "text"),
        (["up", "--json"], "json"),
        (["-o", "nagios", "doctor"], "nagios"),
        (["--output=github"], "github"),
        (["--output", "junit"], "junit"),
        (["-ojson"], "json"),
        (["-o", "yaml"], "text"),
        (["test", "--", "--json"], "text"),
        (["-o"], "text"),
    ],
)
def test_the_format_is_read_also_where_click_refused_the_words(words: list[str], form: str) -> None:
    assert requested_format(words) == form


def test_an_interruption_says_what_was_left() -> None:
    session = Session()
    session.left_behind = "two files"

    error = translate_error(KeyboardInterrupt(), session)

    assert (error.exit_code, error.why) == (130, "two files")


def test_our_own_errors_pass_unchanged() -> None:
    error = RefusedError("no")

    assert translate_error(error, Session()) is error
