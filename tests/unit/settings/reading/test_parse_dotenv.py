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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('NAME="one\ntwo"', "one\ntwo"),
        ("NAME='one\ntwo'", "one\ntwo"),
        ("NAME: value", "value"),
        ('NAME="value" trailing', "value"),
        ('NAME="value"# aside', "value"),
        ('NAME="one\\ntwo \\$x"', "one\ntwo $x"),
        ("NAME='one\\ntwo $x'", "one\\ntwo $x"),
        ("NAME=it's", "it's"),
        ("NAME=a$$b", "a$b"),
        ("A=1\nNAME=${A}-$A", "1-1"),
        ("NAME=${NOWHERE:-other}", "other"),
        ("A=1\nNAME=${A:+set}", "set"),
        ("NAME=pa$word", "pa$word"),
        ("NAME=caf\ufffd", "caf\ufffd"),
        ("BARE\nNAME=1\nBARE_TOO", "1"),
        ("NAME=1\r\n", "1"),
    ],
)
def test_every_form_of_compose_is_read(text: str, value: str) -> None:
    variables = {variable.name: variable.value for variable in read_dotenv(text, ".env")}

    assert variables.pop("NAME") == value
    assert not variables.keys() - {"A"}


@pytest.mark.parametrize("name", ["x-y.z", "1NAME", "LIST[0]", "lower"])
def test_every_name_of_compose_is_read(name: str) -> None:
    assert [variable.name for variable in read_dotenv(f"{name}=1", ".env")] == [name]


def test_what_follows_a_value_of_several_lines_knows_its_line() -> None:
    variables = read_dotenv('KEY="-----BEGIN\n# no comment\nEND"\n\nNAME=1\n', ".env")

    assert variables[0].value == "-----BEGIN\n# no comment\nEND"
    assert str(variables[1].place) == ".env:5"


@pytest.mark.parametrize("line", ["TWO WORDS", "NAME='open", 'NAME="open', "=x", "N%ME=x"])
def test_a_broken_line_is_named(line: str) -> None:
    with pytest.raises(SettingsError, match=r"^\.env:2: "):
        read_dotenv(f"A=1\n{line}\n", ".env")
