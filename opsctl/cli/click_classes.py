"""Our kinds of click commands: flags that mean the same everywhere, commands loaded when called."""

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


class _Context(click.Context):
    """Measures the terminal itself: click would import shutil and what hangs on it for that."""

    def make_formatter(self) -> click.HelpFormatter:
        try:
            columns = os.get_terminal_size(1).columns
        except OSError:
            columns = 0
        return click.HelpFormatter(width=min(columns or _WIDEST_HELP, _WIDEST_HELP) - 2)


class _Common(click.Command):
    """Takes the common flags besides its own, and lists them apart in its help."""

    context_class = _Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on to click
        super().__init__(*args, **(kwargs | {"add_help_option": False}))
        self.params = [*self.params, *COMMON_FLAGS, HELP]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [p for p in self.get_params(ctx) if p not in COMMON_FLAGS]
        arguments = [p for p in own if isinstance(p, click.Argument)]
        options = [p for p in own if p not in arguments]
        for title, params in (
            ("Arguments", arguments),
            ("Options", options),
            ("Options of every command", COMMON_FLAGS),
        ):
            records = [record for p in params if (record := p.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class OpsctlCommand(_Common):
    """A command that does something; `formats` are the ways in which it can answer."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - handed on to click
        formats: Sequence[str] = TEXT_AND_JSON,
        **kwargs: Any,  # noqa: ANN401 - handed on to click
    ) -> None:
        super().__init__(*args, **kwargs)
        self.formats = tuple(name for name in FORMATS if name in formats)


class CommandGroup(_Common, click.Group):
    """A group of verbs."""

    command_class = OpsctlCommand

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _Common.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)


class LazyGroup(CommandGroup):
    """A group that imports a command only to run it; help and completion read the table."""

    def __init__(self, *args: Any, table: Mapping[str, Entry], **kwargs: Any) -> None:  # noqa: ANN401 - handed on to click
        super().__init__(*args, **kwargs)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        entry = self._table.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.where.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.where} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self._table and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(name, possibilities=self._table, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.says) for name, entry in self._table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion pays

        names = [
            CompletionItem(name, help=entry.says)
            for name, entry in self._table.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
