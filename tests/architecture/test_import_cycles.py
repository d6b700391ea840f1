"""No module of opsctl imports itself by way of others, not even lazily or for types alone."""

import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

TOP = Path(__file__).parents[2]
Graph = dict[str, set[str]]


def imports_of(package: str) -> Graph:
    """Map each module to those of the package that it imports anywhere in its text."""
    graph = grimp.build_graph(package, cache_dir=None)
    return {name: set(graph.find_modules_directly_imported_by(name)) for name in graph.modules}


def cycles(graph: Graph) -> Iterator[list[str]]:
    """Yield one shortest way round for each module that can reach itself."""
    seen: set[str] = set()
    for start in sorted(graph):
        way = [] if start in seen else way_back(graph, start)
        if way:
            seen |= set(way)
            yield way


def way_back(graph: Graph, start: str) -> list[str]:
    """Search breadth first from `start` until it is met again."""
    came_from: dict[str, str] = {}
    queue = [start]
    for module in queue:
        for imported in sorted(graph.get(module, set())):
            if imported == start:
                return path_to(module, came_from, start)
            if imported not in came_from:
                came_from[imported] = module
                queue.append(imported)
    return []


def path_to(module: str, came_from: dict[str, str], start: str) -> list[str]:
    way = [module]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert [" -> ".join([*way, way[0]]) for way in cycles(imports_of("opsctl"))] == []


@pytest.mark.parametrize(
    "line",
    [
        "import {package}.b",
        "def later():\n    import {package}.b",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {package}.b",
    ],
)
def test_a_planted_cycle_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    package = "planted"
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "a.py").write_text(line.format(package=package))
    (folder / "b.py").write_text(f"import {package}.c")
    (folder / "c.py").write_text(f"import {package}.a")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    assert list(cycles(imports_of(package))) == [[f"{package}.{name}" for name in "abc"]]
