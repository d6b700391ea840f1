import json
import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest

from opsctl import kit

TERMINAL = ("click", "rich", "docker", "psutil")
DRIVERS = ("redis", "httpx2", "pydantic", "psycopg", "yaml", "fastapi", "starlette")


def loaded_by(statement: str) -> frozenset[str]:
    """List what a fresh interpreter has loaded after one statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    return frozenset(name.partition(".")[0] for name in json.loads(run.stdout))


def test_importing_the_kit_loads_no_terminal_and_no_driver() -> None:
    loaded = loaded_by("import opsctl.kit")

    assert loaded.isdisjoint((*TERMINAL, *DRIVERS))


@pytest.mark.parametrize("name", kit.__all__)
def test_no_name_of_the_kit_loads_what_belongs_to_the_terminal(name: str) -> None:
    loaded = loaded_by(f"from opsctl.kit import {name}")

    assert loaded.isdisjoint(TERMINAL)


def test_every_name_the_kit_promises_is_there() -> None:
    assert [name for name in kit.__all__ if not hasattr(kit, name)] == []


def test_a_name_the_kit_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Cahce'"):
        kit.Cahce  # noqa: B018 - asking is the test


def test_no_modules_of_the_kit_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("opsctl")
    modules = {name for name in graph.modules if name.startswith("opsctl.kit.")}
    imports = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}

    # Raises CycleError with the modules of a cycle; imports for types alone count as well.
    assert set(TopologicalSorter(imports).static_order()) == modules
