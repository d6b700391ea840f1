"""Finds and reads the sources of settings, in order of precedence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opsctl.errors import OpsctlError, SettingsError
from opsctl.settings.reading.choose_environment import choose_environment, overlays
from opsctl.settings.reading.layers import GivenValue, from_flags, from_variables
from opsctl.settings.reading.origin import DEFAULT, Origin
from opsctl.settings.reading.parse_dotenv import Variable, read_dotenv
from opsctl.value import Value

BASE = Path("configs/opsctl.yaml")
DOTENV = Path(".env")

# Gives a file's text, or None where there is no such file.
ReadText = Callable[[Path], str | None]


class SettingsRequest(Value):
    """The request of the caller: directory, environment, and flags that affect settings."""

    directory: Path
    environ: Mapping[str, str]
    config: Path | None = None
    env: str | None = None
    flags: Mapping[str, Any] | None = None

    def variables(self) -> tuple[Variable, ...]:
        given = self.environ.items()
        return tuple(Variable(name, value, Origin(f"environment {name}")) for name, value in given)


class SettingsSources(Value):
    """The values of every source, weakest first."""

    project_dir: Path
    files: tuple[str, ...]
    documents: tuple[Sequence[GivenValue], ...]
    variables: tuple[Sequence[Variable], ...]
    last: tuple[Sequence[GivenValue], ...]
    """Flags, and the chosen environment."""

    def layers(self) -> tuple[Sequence[GivenValue], ...]:
        set_by_variables = (from_variables(layer) for layer in self.variables)
        return (*self.documents, *set_by_variables, *self.last)


def read_sources(request: SettingsRequest, read: ReadText) -> SettingsSources:
    """Read base file, overlays, .env and environment; the chosen environment picks overlays."""
    base, text = _find_base(request, read)
    project_dir = request.directory if request.config else base.parent.parent
    written = _read_values(text, _name(base, project_dir))
    dotenv = read_variables(project_dir, read)
    environ = request.variables()
    env = choose_environment(request.env, (environ, dotenv), written)
    laid = dict(_overlays(base, project_dir, str(env.value), read))
    return SettingsSources(
        project_dir,
        (_name(base, project_dir), *laid),
        (written, *laid.values()),
        (dotenv, environ),
        (from_flags(request.flags or {}), (env,)),
    )


def read_sources_without_files(
    request: SettingsRequest, project: str
) -> tuple[Sequence[GivenValue], ...]:
    """Read the sources of a project without files: environment and flags."""
    environ = request.variables()
    env = choose_environment(request.env, (environ,), ())
    named = GivenValue("project.name", project, DEFAULT)
    return (named,), from_variables(environ), from_flags(request.flags or {}), (env,)


def read_variables(project_dir: Path, read: ReadText) -> tuple[Variable, ...]:
    text = _text(project_dir / DOTENV, read)
    return () if text is None else read_dotenv(text, str(DOTENV))


def _find_base(request: SettingsRequest, read: ReadText) -> tuple[Path, str]:
    """Search this folder and every parent, as git does; `--config` names one file."""
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
        hint="Run `opsctl init` to create it, or pass -C DIR.",
    )


def _text(path: Path, read: ReadText) -> str | None:
    try:
        return read(path)
    except OpsctlError as error:
        raise SettingsError(error.what, why=error.why, hint=error.hint) from error


def _overlays(
    base: Path, project_dir: Path, env: str, read: ReadText
) -> Iterator[tuple[str, tuple[GivenValue, ...]]]:
    for name in overlays(env):
        path = base.parent / f"{name}.yaml"
        if (text := _text(path, read)) is not None:
            shown_path = _name(path, project_dir)
            yield shown_path, _read_values(text, shown_path)


def _read_values(text: str, name: str) -> tuple[GivenValue, ...]:
    # YAML is loaded only where a file has to be read.
    from opsctl.settings.reading.keys import from_document  # noqa: PLC0415
    from opsctl.settings.reading.yaml_document import parse_document  # noqa: PLC0415

    return from_document(parse_document(text, name))


def _name(path: Path, project_dir: Path) -> str:
    return str(path.relative_to(project_dir) if path.is_relative_to(project_dir) else path)
