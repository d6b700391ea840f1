"""Finds and reads the sources of settings, in the order in which they count."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsctl.errors import OpsctlError, SettingsError
from opsctl.settings.document import read_document
from opsctl.settings.dotenv import Variable, read_dotenv
from opsctl.settings.environment import choose_environment, overlays
from opsctl.settings.layers import (
    Written,
    from_document,
    from_flags,
    from_variables,
    unknown_variables,
)
from opsctl.settings.load import Resolved, resolve
from opsctl.settings.model import Settings
from opsctl.settings.place import DEFAULT, Place

BASE = Path("configs/opsctl.yaml")
DOTENV = Path(".env")

# Gives a file's text, or None where there is no such file.
Read = Callable[[Path], str | None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller said: where it stands, and the flags that bear on settings."""

    directory: Path
    environ: Mapping[str, str]
    config: Path | None = None
    env: str | None = None
    flags: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings of one project, and what was noticed while reading them."""

    project_dir: Path
    resolved: Resolved
    files: tuple[str, ...]
    unknown: tuple[Variable, ...]


def load(request: Request, read: Read) -> Loaded:
    """Read base, overlays, .env, environment and flags, and lay them over each other."""
    base, text = _find_base(request, read)
    project_dir = request.directory if request.config else base.parent.parent
    written = from_document(read_document(text, _name(base, project_dir)))
    dotenv = _dotenv(project_dir, read)
    environ = _environ(request)
    env = choose_environment(request.env, (environ, dotenv), written)
    laid = tuple(_overlays(base, project_dir, str(env.value), read))
    layers = [written, *(values for _, values in laid)]
    flags = from_flags(request.flags or {})
    layers += [from_variables(dotenv), from_variables(environ), flags, (env,)]
    names = (_name(base, project_dir), *(name for name, _ in laid))
    return Loaded(project_dir, resolve(layers), names, unknown_variables((*dotenv, *environ)))


def defaults(request: Request, project: str) -> Settings:
    """Settings of a project that has no files yet: defaults, below environment and flags."""
    environ = _environ(request)
    env = choose_environment(request.env, (environ,), ())
    named = Written("project.name", project, DEFAULT)
    flags = from_flags(request.flags or {})
    return resolve([(named,), from_variables(environ), flags, (env,)]).settings


def _environ(request: Request) -> tuple[Variable, ...]:
    given = request.environ.items()
    return tuple(Variable(name, value, Place(f"environment {name}")) for name, value in given)


def _find_base(request: Request, read: Read) -> tuple[Path, str]:
    """Look here and in every folder above, as git does; `--config` names one file."""
    if request.config is not None:
        path = request.directory / request.config
        if (text := _text(path, read)) is not None:
            return path, text
        raise SettingsError(f"{request.config} does not exist", hint="Check --config.")
    for folder in (request.directory, *request.directory.parents):
        if (text := _text(folder / BASE, read)) is not None:
            return folder / BASE, text
    raise SettingsError(
        f"{BASE} does not exist in {request.directory} or above",
        hint="`opsctl init` writes one; -C DIR names another folder.",
    )


def _text(path: Path, read: Read) -> str | None:
    try:
        return read(path)
    except OpsctlError as error:
        raise SettingsError(error.what, why=error.why, hint=error.hint) from error


def _overlays(
    base: Path, project_dir: Path, env: str, read: Read
) -> Iterator[tuple[str, tuple[Written, ...]]]:
    for name in overlays(env):
        path = base.parent / f"{name}.yaml"
        if (text := _text(path, read)) is not None:
            shown = _name(path, project_dir)
            yield shown, from_document(read_document(text, shown))


def _dotenv(project_dir: Path, read: Read) -> tuple[Variable, ...]:
    text = _text(project_dir / DOTENV, read)
    return () if text is None else read_dotenv(text, str(DOTENV))


def _name(path: Path, project_dir: Path) -> str:
    return str(path.relative_to(project_dir) if path.is_relative_to(project_dir) else path)
