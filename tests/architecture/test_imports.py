"""What a command may load before it works: start-up is a feature."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

OPSCTL = Path(__file__).parents[2] / "opsctl"
HEAVY = frozenset({"docker", "psycopg", "redis", "rich", "pydantic", "yaml", "httpx2", "psutil"})


# The flags that a removal worker is started with.
BARE = ("-I", "-S")


def loaded_by(code: str, *flags: str) -> set[str]:
    find = f"import sys; sys.path.append({str(OPSCTL.parent)!r})\n" if flags else ""
    told = f"{find}{code}\nimport sys; print('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, *flags, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


HELP = """
from opsctl.cli.root import root
try:
    root.main({words!r})
except SystemExit as end:
    assert end.code == 0, end.code
"""


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--version"]])
def test_help_loads_no_driver_and_nothing_else_of_weight(words: list[str]) -> None:
    assert not loaded_by(HELP.format(words=words)) & HEAVY


def test_completion_of_a_command_loads_no_command() -> None:
    code = (
        "import os; os.environ.update(_OPSCTL_COMPLETE='bash_complete',"
        " COMP_WORDS='opsctl do', COMP_CWORD='1')" + HELP.format(words=[])
    )

    assert not loaded_by(code) & (HEAVY | {"opsctl.cli.commands.doctor"})


def test_checking_settings_loads_no_driver() -> None:
    assert (
        not loaded_by("import opsctl.cli.commands.config, opsctl.wiring, opsctl.settings") & HEAVY
    )


def test_checking_the_rules_loads_no_driver() -> None:
    loaded = loaded_by("import opsctl.cli.commands.check, opsctl.wiring")

    assert not loaded & (HEAVY - {"yaml"})


def test_settings_that_did_not_change_are_not_parsed_and_checked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    loaded_by(HELP.format(words=["init", "-q"]))

    first = loaded_by(HELP.format(words=["config", "show", "-q"]))
    second = loaded_by(HELP.format(words=["config", "show", "--quiet"]))

    assert {"pydantic", "yaml"} <= first
    assert not second & (HEAVY | {"logging", "locale"})


def test_a_removal_worker_loads_only_what_it_needs() -> None:
    """Several run beside the deciding process, each with its own memory."""
    loaded = loaded_by("import opsctl.systems.removal.worker", *BARE)

    ours = {name for name in loaded if name.startswith("opsctl.")}
    assert not loaded & (HEAVY | {"typing", "dataclasses", "pathlib", "logging", "subprocess"})
    assert ours == {"opsctl.systems", "opsctl.systems.removal"} | {
        f"opsctl.systems.removal.{name}"
        for name in (
            "batch",
            "open_writers",
            "remove_batch",
            "safe_open",
            "safe_remove",
            "worker",
        )
    }


MIGRATE = """
import opsctl.cli.commands.migrate.group, opsctl.cli.show.output, opsctl.wiring
import opsctl.migrate.dialects.postgres, opsctl.systems.files.read_folder
import opsctl.systems.postgres.scripts
"""


def test_a_run_with_nothing_to_migrate_loads_what_it_needs_and_no_more() -> None:
    slow = {"hashlib", "socket", "sqlite3", "subprocess", "tempfile", "asyncio"}
    slow |= {"logging", "dataclasses", "random", "getpass"}

    assert not loaded_by(MIGRATE) & (HEAVY | slow | {"opsctl.sql.lexer", "opsctl.state"})


def test_the_state_is_light() -> None:
    assert not loaded_by("import opsctl.state") & (HEAVY | {"click", "sqlite3"})


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(OPSCTL.rglob("*.py")):
        name = ".".join(path.relative_to(OPSCTL.parent).with_suffix("").parts)
        yield name.removesuffix(".__init__"), ast.parse(path.read_text(encoding="utf-8"))


def imported_from_systems(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("opsctl.systems."):
            yield from ((str(node.module), alias.name) for alias in node.names)


def is_real(module: str, name: str) -> bool:
    """A real part: a class of behaviour that is neither a Protocol, a noun nor an error."""
    found = getattr(import_module(module), name)
    if not inspect.isclass(found) or issubclass(found, BaseException | tuple):
        return False
    return not (
        getattr(found, "_is_protocol", False)
        or hasattr(found, "__dataclass_fields__")
        or hasattr(found, "_fields")
        or hasattr(found, "__members__")
    )


# The progress display of the command line runs without wiring: it shows, it does not act.
EXEMPT = {("opsctl.cli.show.progress", "SystemClock")}
# The stack's services have no wiring: the kit makes its own parts, in one place.
BUILDERS = ("opsctl.wiring", "opsctl.kit.adapters")


def test_only_wiring_names_a_real_system_class() -> None:
    offenders = {
        (name, what)
        for name, tree in modules()
        if not name.startswith((*BUILDERS, "opsctl.systems"))
        for module, what in imported_from_systems(tree)
        if is_real(module, what)
    }

    assert offenders == EXEMPT


NAMELESS = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc"}


def test_no_module_is_called_what_has_no_name_yet() -> None:
    assert not [name for name, _ in modules() if set(name.split(".")) & NAMELESS]


def test_every_module_says_in_one_line_what_it_is_for() -> None:
    silent = [
        name
        for name, tree in modules()
        if not (ast.get_docstring(tree) or "").partition("\n")[0].strip()
    ]

    assert silent == []
