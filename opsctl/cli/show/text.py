"""Text for people: tables and lines; rich on a terminal, plain and whole when piped."""

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


class Table(Value):
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Table | str


def escape_control(text: str) -> str:
    """Make a name from outside harmless: no control characters, no broken bytes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def print_blocks(blocks: Iterable[Block], *, rich: bool) -> None:
    for block in blocks:
        if isinstance(block, str):
            click.echo("\n".join(escape_control(line) for line in block.split("\n")))
        elif rich:
            _show_rich(block)
        else:
            click.echo("\n".join(align_table(block)))


def align_table(table: Table) -> list[str]:
    """Align in columns as wide as their widest cell; nothing is cut."""
    rows = [tuple(escape_control(cell) for cell in row) for row in (table.head, *table.rows)]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [_row(row, widths).rstrip() for row in rows]


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = zip(row, widths, strict=True)
    return "  ".join(cell + " " * (width - _width(cell)) for cell, width in cells)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415 - few names need it

    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _show_rich(table: Table) -> None:
    from rich.console import Console  # noqa: PLC0415 - 70 ms that only a terminal pays
    from rich.table import Table as RichTable  # noqa: PLC0415 - same
    from rich.text import Text  # noqa: PLC0415 - same

    grid = RichTable(box=None, pad_edge=False, header_style="bold")
    for name in table.head:
        grid.add_column(name, overflow="fold")
    for row in table.rows:
        # Text, not str: markup in a name from outside stays text.
        grid.add_row(*(Text(escape_control(cell), style=_style(cell)) for cell in row))
    Console().print(grid)


def _style(cell: str) -> str:
    return _STYLES.get(cell, "")
