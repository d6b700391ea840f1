import pytest

from opsctl.cli.show.text import Table, align_table, escape_control, print_blocks, tab_separated


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
    print_blocks([Table(("name",), (("[red]x[/red]",),))], terminal=True, color=False)

    assert "[red]x[/red]" in capsys.readouterr().out


def test_a_long_column_pads_nothing_when_piped() -> None:
    table = Table(("a", "b", "c"), (("x" * 300, "", "1\t2"), ("y", "", "")), long_column="a")

    assert tab_separated(table) == ["a\tb\tc", "x" * 300 + "\t\t1\\t2", "y"]


@pytest.mark.parametrize("columns", [30, 60, 100])
def test_a_terminal_gets_lines_that_fit_and_whole_names(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    table = Table(
        ("name", "value"), (("a.long.name.of.a.setting", "v" * 300),), long_column="value"
    )

    print_blocks([table], terminal=True, color=False)

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "".join(line.split()[-1] for line in lines[1:]).count("v") == 300
    if columns > 40:
        assert lines[1].startswith("a.long.name.of.a.setting  v")
