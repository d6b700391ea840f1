"""Reads the texts that a Python file builds, as far as they can be known without running it."""

import ast
from collections.abc import Callable, Iterator
from functools import partial

UNKNOWN = "{}"
_DEEPEST = 60
_MOST_NAMES = 2_000


class UnreadableError(Exception):
    """No Python that we can read; the text says why."""


def parse(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise UnreadableError(str(error).partition("\n")[0]) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError("it is nested too deeply") from error


def texts(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give every text with its line; docstrings and other lone strings are left out."""
    names = _names(tree)
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.expr) and is_text(node):
            yield value_of(node, names), node.lineno
            if isinstance(node, ast.Constant | ast.BinOp):
                continue
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield names.get(node.target.id, ""), node.lineno
        waiting += ast.iter_child_nodes(node)


def is_text(node: ast.expr) -> bool:
    """Say whether this looks like a text: a literal, or something made from one."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and any(is_text(n) for n in _sides(node))
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "join"}
    return isinstance(node, ast.JoinedStr)


def value_of(node: ast.expr, names: dict[str, str], depth: int = 0) -> str:
    """Put a text together; what cannot be known is `{}`."""
    if depth > _DEEPEST:
        return UNKNOWN
    deeper = partial(value_of, names=names, depth=depth + 1)
    text = UNKNOWN
    match node:
        case ast.Constant(value=str(given)):
            text = given
        case ast.Name(id=name):
            text = names.get(name, UNKNOWN)
        case ast.JoinedStr(values=values):
            text = "".join(map(deeper, values))
        case ast.FormattedValue(value=value):
            text = deeper(value)
        case ast.BinOp(op=ast.Add()):
            text = "".join(map(deeper, _sides(node)))
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            text = _filled(deeper(left), [deeper(item) for item in _items(right)])
        case ast.Call(func=ast.Attribute(value=owner, attr=name)):
            text = _called(node, deeper(owner), name, deeper)
    return text


def _called(call: ast.Call, text: str, name: str, known: Callable[[ast.expr], str]) -> str:
    """Follow `"...".format(...)` and `" ".join([...])`."""
    if name == "join" and call.args:
        return text.join(map(known, _items(call.args[0])))
    if name == "format":
        for keyword in call.keywords:
            text = text.replace(f"{{{keyword.arg}}}", known(keyword.value))
        for number, item in enumerate(call.args):
            text = text.replace(f"{{{number}}}", known(item)).replace("{}", known(item), 1)
        return text
    return text if name in {"strip", "upper", "lstrip", "rstrip"} else UNKNOWN


def _filled(text: str, items: list[str]) -> str:
    for item in items:
        text = text.replace("%s", item, 1)
    return text


def _items(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List) else [node]


def _sides(node: ast.BinOp) -> list[ast.expr]:
    """List the parts of a + b + c, however many, in order."""
    parts: list[ast.expr] = []
    at: ast.expr = node
    while isinstance(at, ast.BinOp) and isinstance(at.op, ast.Add):
        parts.append(at.right)
        at = at.left
    return [at, *parts[::-1]] if at is not node else [node.left, *_items(node.right)]


def _names(tree: ast.Module) -> dict[str, str]:
    """Learn what names stand for, `+=` included; of several texts the first one is kept."""
    names: dict[str, str] = {}
    for node in _in_order(tree):
        if len(names) >= _MOST_NAMES:
            break
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_text(value):
                names.setdefault(name, value_of(value, names))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                if is_text(value):
                    names.setdefault(name, value_of(value, names))
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                names[name] = names.get(name, UNKNOWN) + value_of(value, names)
    return names


def _in_order(tree: ast.Module) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.stmt | ast.Module | ast.ExceptHandler | ast.match_case):
            waiting += reversed(list(ast.iter_child_nodes(node)))
