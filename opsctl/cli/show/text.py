"""Text for people: tables and lines; fitted to a terminal, plain and complete when piped."""

from collections.abc import Iterable, Sequence

import click

from opsctl.findings import Level
from opsctl.value import Value

_STYLES: dict[str, str] = {
    Level.OK: "green",
    Level.ADVICE: "cyan",
    Level.WARNING: "yellow",
    Level.UNKNOWN: "magenta",
    Level.CRITICAL: "bold red",
}


# Narrower than this, a long column is no longer readable.
_LEAST_LONG = 12


class Table(Value):
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    long_column: str = ""
    """A column with cells of any length: it wraps first; piped, a tab stands for the padding."""


Block = Table | str


def escape_control(text: str) -> str:
    """Escape the control characters and broken bytes of text from outside."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def print_blocks(blocks: Iterable[Block], *, terminal: bool, color: bool) -> None:
    """Print text and tables; only a terminal gets wrapped cells, and colour where wanted."""
    for block in blocks:
        if isinstance(block, str):
            click.echo("\n".join(escape_control(line) for line in block.split("\n")))
        elif terminal:
            _print_fitted(block, color=color)
        else:
            click.echo("\n".join(tab_separated(block) if block.long_column else align_table(block)))


def align_table(table: Table) -> list[str]:
    """Pad each column to its widest cell; nothing is cut."""
    rows = _escaped(table)
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [_row(row, widths).rstrip() for row in rows]


def tab_separated(table: Table) -> list[str]:
    """Join cells with one tab, as `cut` reads them; a tab inside a cell is escaped."""
    return ["\t".join(row).rstrip() for row in _escaped(table)]


def _escaped(table: Table) -> list[tuple[str, ...]]:
    return [tuple(escape_control(cell) for cell in row) for row in (table.head, *table.rows)]


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = zip(row, widths, strict=True)
    return "  ".join(cell + " " * (width - _width(cell)) for cell, width in cells)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415 - few names need it

    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _print_fitted(table: Table, *, color: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 - 70 ms that only a terminal pays
    from rich.table import Table as RichTable  # noqa: PLC0415 - same
    from rich.text import Text  # noqa: PLC0415 - same

    # Without a colour system rich writes no escape codes at all.
    console = Console(color_system="auto" if color else None)
    is_wide = _fits_unwrapped(table, console.width)
    grid = RichTable(box=None, pad_edge=False, header_style="bold")
    for name in table.head:
        grid.add_column(name, overflow="fold", no_wrap=is_wide and name != table.long_column)
    for row in table.rows:
        # Text, not str: markup in a name from outside stays text.
        grid.add_row(*(Text(escape_control(cell), style=_style(cell)) for cell in row))
    with console.capture() as captured:
        console.print(grid)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _fits_unwrapped(table: Table, columns: int) -> bool:
    """Whether all but the long column can keep each cell on one line."""
    widths = zip(table.head, zip(*_escaped(table), strict=True), strict=True)
    short = [max(map(_width, cells)) for name, cells in widths if name != table.long_column]
    return bool(table.long_column) and sum(short) + 2 * len(short) + _LEAST_LONG <= columns


def _style(cell: str) -> str:
    return _STYLES.get(cell, "")
