import pytest

from opsctl.cli.show.text import Table, align_table, escape_control, print_blocks


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain", "plain"),
        ("한국어", "한국어"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("\udcff", "\\udcff"),
        ("\u202eright to left", "\\u202eright to left"),
    ],
)
def test_a_name_from_outside_is_made_harmless(text: str, harmless: str) -> None:
    assert escape_control(text) == harmless


def test_columns_are_as_wide_as_their_widest_cell_and_nothing_is_cut() -> None:
    table = Table(("a", "b"), (("x" * 300, "1"), ("한국", "2")))

    lines = align_table(table)

    assert lines == ["a" + " " * 301 + "b", "x" * 300 + "  1", "한국" + " " * 298 + "2"]


def test_markup_in_a_name_stays_text_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_blocks([Table(("name",), (("[red]x[/red]",),))], rich=True)

    assert "[red]x[/red]" in capsys.readouterr().out
