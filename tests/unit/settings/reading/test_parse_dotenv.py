import pytest

from opsctl.errors import SettingsError
from opsctl.settings.reading.parse_dotenv import read_dotenv


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("export NAME=plain", "plain"),
        ("NAME = spaced ", "spaced"),
        ("NAME=a b # said aside", "a b"),
        ("NAME=pass#word", "pass#word"),
        ("NAME='single # kept'", "single # kept"),
        ('NAME="double \\" kept" # aside', 'double " kept'),
        ("NAME=", ""),
        ("NAME=# nothing", ""),
        ("NAME=a=b=c", "a=b=c"),
        ("\ufeffNAME=after a mark", "after a mark"),
    ],
)
def test_a_line_gives_what_a_shell_and_compose_agree_on(line: str, value: str) -> None:
    (variable,) = read_dotenv(f"{line}\n", ".env")

    assert (variable.name, variable.value) == ("NAME", value)


def test_the_last_of_a_name_counts_and_knows_its_line() -> None:
    (variable,) = read_dotenv("# first\nNAME=1\n\nNAME=2\n", ".env")

    assert (variable.value, str(variable.place)) == ("2", ".env:4")


@pytest.mark.parametrize("line", ["NAME", "1NAME=x", "NAME='open", 'NAME="open'])
def test_a_broken_line_is_named(line: str) -> None:
    with pytest.raises(SettingsError, match=r"^\.env:2: "):
        read_dotenv(f"A=1\n{line}\n", ".env")
