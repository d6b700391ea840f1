"""Commands end where they say so, and every one of them can be found in the help."""

import ast
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import NoReturn, get_type_hints

import click
import pytest

from opsctl.cli.command_table import ROOT_COMMANDS, ROOT_SECTIONS
from opsctl.cli.root import root
from opsctl.cli.show.output import Output

CLI = Path(__file__).parents[2] / "opsctl/cli"


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(CLI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.relative_to(CLI)}:{node.name}", node


def ends_the_command(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (
        isinstance(node.func, ast.Attribute) and node.func.attr == "conclude"
    )


def never_returns(function: ast.FunctionDef) -> bool:
    return function.returns is not None and ast.unparse(function.returns) == "NoReturn"


def is_dry_run(test: ast.expr) -> bool:
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    return any(isinstance(part, ast.Name) and part.id == "dry_run" for part in parts)


def test_conclude_never_returns() -> None:
    assert get_type_hints(Output.conclude)["return"] is NoReturn


def test_a_command_says_return_where_it_concludes() -> None:
    silent = [
        name
        for name, function in functions()
        if not never_returns(function)
        for node in ast.walk(function)
        if isinstance(node, ast.Expr) and ends_the_command(node.value)
    ]

    assert silent == []


def test_no_command_goes_on_after_a_dry_run() -> None:
    dry_runs = [
        (name, node)
        for name, function in functions()
        for node in ast.walk(function)
        if isinstance(node, ast.If) and is_dry_run(node.test)
    ]

    assert len(dry_runs) > 8
    assert [name for name, node in dry_runs if not isinstance(node.body[-1], ast.Return)] == []


def test_every_command_stands_below_one_heading_of_the_help() -> None:
    listed = Counter(name for names in ROOT_SECTIONS.values() for name in names)

    assert tuple(ROOT_SECTIONS) == ("Deploy", "Data", "Observe", "Rules", "Project")
    assert listed == Counter(tuple(ROOT_COMMANDS))


MAIN_COMMANDS = (
    *("up", "rollback", "status", "logs", "migrate", "check", "test", "doctor", "init"),
    *("disk retain", "debug pubsub", "config show"),
)


def commands(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}".strip())


def examples(command: click.Command) -> list[str]:
    """List the examples of a help text, without the remarks that stand two spaces behind them."""
    text = cleandoc(command.help or "").partition("\b\nExamples:\n")[2].partition("\n\n")[0]
    return [re.split(r" {2,}| \| ", line.strip())[0] for line in text.splitlines()]


COMMANDS = dict(commands(root))
EXAMPLES = [(path, example) for path, command in COMMANDS.items() for example in examples(command)]


def parsed_path(words: list[str]) -> str:
    """Parse words as click does before it runs a command; give the name of that command."""
    context = root.make_context("opsctl", words)
    names: list[str] = []
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        names.append(str(name))
        context = command.make_context(name, rest, parent=context)
    return " ".join(names)


@pytest.mark.parametrize("path", MAIN_COMMANDS)
def test_the_main_commands_have_examples(path: str) -> None:
    assert len(examples(COMMANDS[path])) >= 2


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_an_example_parses_as_the_command_it_is_for(path: str, example: str) -> None:
    program, *words = shlex.split(example.partition(" > ")[0])

    assert program == "opsctl"
    assert parsed_path(words).startswith(path)


@pytest.mark.parametrize("path", COMMANDS)
def test_a_help_text_fits_and_keeps_the_lines_of_its_examples(path: str) -> None:
    command = COMMANDS[path]
    context = click.Context(command, info_name=path, parent=click.Context(root) if path else None)

    shown = command.get_help(context)

    assert max(map(len, shown.splitlines())) <= 100
    assert all(f"\n    {example}" in shown for example in examples(command))
    assert ("Global options:\n  -e, --env ENV" in shown) == (path == "")
    assert ("Global options: see `opsctl --help`" in shown) == (path != "")
