"""The kit's chance is its own: services seed `random`, and tests of theirs count on it."""

import ast
import random
from pathlib import Path

from opsctl import kit
from opsctl.kit import adapters

KIT = Path(kit.__file__).parent


def test_drawing_moves_no_random_numbers_of_the_caller() -> None:
    before = random.getstate()

    pauses = {adapters.add_jitter(1.0) for _ in range(20)}

    assert len(pauses) > 1
    assert random.getstate() == before


def test_no_module_of_the_kit_imports_the_shared_generator() -> None:
    users = [
        path.name
        for path in KIT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) and any(name.name == "random" for name in node.names)
    ]

    assert users == []
