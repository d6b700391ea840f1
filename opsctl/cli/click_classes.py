"""Our click command classes: global flags on every command, commands imported when called."""

import importlib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from opsctl.cli.command_table import Entry
from opsctl.cli.flags import COMMON_FLAGS, FORMATS, HELP, TEXT_AND_JSON

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_WIDEST_HELP = 100
SEE_GLOBAL_OPTIONS = "Global options: see `opsctl --help`"


class _HelpContext(click.Context):
    """Measures the terminal itself: click would import shutil and its dependencies for that."""

    def make_formatter(self) -> click.HelpFormatter:
        try:
            columns = os.get_terminal_size(1).columns
        except OSError:
            columns = 0
        return click.HelpFormatter(width=min(columns or _WIDEST_HELP, _WIDEST_HELP) - 2)


class _WithCommonFlags(click.Command):
    """Accepts the global flags besides its own; only the root lists them in its help."""

    context_class = _HelpContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to click
        super().__init__(*args, **(kwargs | {"add_help_option": False}))
        self.params = [*self.params, *COMMON_FLAGS, HELP]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [p for p in self.get_params(ctx) if p not in COMMON_FLAGS]
        arguments = [p for p in own if isinstance(p, click.Argument)]
        options = [p for p in own if p not in arguments]
        _write_params(ctx, formatter, "Arguments", arguments)
        _write_params(ctx, formatter, "Options", options)
        if ctx.parent is None:
            _write_params(ctx, formatter, "Global options", COMMON_FLAGS)
        else:
            formatter.write_paragraph()
            formatter.write_text(SEE_GLOBAL_OPTIONS)


def _write_params(
    ctx: click.Context,
    formatter: click.HelpFormatter,
    title: str,
    params: Sequence[click.Parameter],
) -> None:
    if records := [record for p in params if (record := p.get_help_record(ctx))]:
        with formatter.section(title):
            formatter.write_dl(records)


class OpsctlCommand(_WithCommonFlags):
    """A command; `formats` are the output formats that it supports."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on to click
        formats: Sequence[str] = TEXT_AND_JSON,
        **kwargs: Any,  # noqa: ANN401 - handed on to click
    ) -> None:
        super().__init__(*args, **kwargs)
        self.formats = tuple(name for name in FORMATS if name in formats)


class CommandGroup(_WithCommonFlags, click.Group):
    """A group of commands that are defined in its own module."""

    command_class = OpsctlCommand

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        _WithCommonFlags.format_options(self, ctx, formatter)


class LazyGroup(CommandGroup):
    """A group that imports a command only to run it; help and completion read the table.

    `sections` maps the headings of its help to the commands below them.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on to click
        table: Mapping[str, Entry],
        sections: Mapping[str, Sequence[str]] | None = None,
        **kwargs: Any,  # noqa: ANN401 - handed on to click
    ) -> None:
        super().__init__(*args, **kwargs)
        self._table = table
        self._sections = sections or {"Commands": tuple(table)}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        entry = self._table.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.location.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.location} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self._table and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(name, possibilities=self._table, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        widest = max(map(len, self._table))
        for title, names in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{widest}}", self._table[name].help) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion pays

        names = [
            CompletionItem(name, help=entry.help)
            for name, entry in self._table.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
