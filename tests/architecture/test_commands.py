"""Commands end where they say so, and every one of them can be found in the help."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, get_type_hints

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
