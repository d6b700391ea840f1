"""Merges the sources of settings and validates the result; each value keeps its origin."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opsctl.errors import SettingsError
from opsctl.settings.masks import list_secret_parts, mask_value
from opsctl.settings.model import Settings, fields, is_secret, value_at
from opsctl.settings.reading.layers import GivenValue
from opsctl.settings.reading.origin import DEFAULT, Origin
from opsctl.settings.reading.parse_dotenv import Variable
from opsctl.settings.secret import Secret
from opsctl.value import Value

if TYPE_CHECKING:
    from opsctl.settings.reading.validate import InvalidSettingsError, SettingProblem


class DescribedSetting(Value):
    """One setting for printing, its secrets masked."""

    path: str
    value: Any
    origin: str
    secret: bool


class ResolvedSettings(Value):
    """Settings, and where each value came from."""

    settings: Settings
    origins: Mapping[str, Origin]

    def describe(self) -> Iterator[DescribedSetting]:
        for path, field in fields().items():
            value = mask_value(value_at(self.settings, path))
            origin = str(self.origins.get(path, DEFAULT))
            yield DescribedSetting(path, value, origin, is_secret(field))

    def secrets(self) -> tuple[str, ...]:
        """List every string that must not leave the process."""
        parts: list[str] = []
        for path in fields():
            value = value_at(self.settings, path)
            if isinstance(value, Secret):
                parts += list_secret_parts(value.get_secret_value())
        return tuple(parts)


class LoadedSettings(Value):
    """The settings of one project, the files they come from, and unknown variables."""

    project_dir: Path
    resolved: ResolvedSettings
    files: tuple[str, ...]
    unknown: tuple[Variable, ...]


def resolve(layers: Sequence[Sequence[GivenValue]]) -> ResolvedSettings:
    """Merge the layers, weakest first, and validate the result."""
    from opsctl.settings.reading.validate import (  # noqa: PLC0415 - only new settings load pydantic
        InvalidSettingsError,
        validate_section,
    )

    top = {value.path: value for layer in layers for value in layer}
    origins = {path: value.place for path, value in top.items()}
    try:
        settings = validate_section(Settings, _nested(top.values()))
    except InvalidSettingsError as error:
        raise _validation_error(error, top) from error
    return ResolvedSettings(settings, MappingProxyType(origins))


def _nested(values: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for value in values:
        section, _, key = value.path.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[key] = _without_bool_as_number(value)
    return tree


def _without_bool_as_number(written: GivenValue) -> Any:
    """Keep a boolean from passing as a number: to pydantic, true is 1."""
    if isinstance(written.value, bool) and fields()[written.path].annotation in (int, float):
        return str(written.value).lower()
    return written.value


def _validation_error(
    error: "InvalidSettingsError", top: Mapping[str, GivenValue]
) -> SettingsError:
    lines = [_line(problem, top) for problem in error.problems]
    if len(lines) == 1:
        (where, why, hint) = lines[0]
        return SettingsError(where, why=why, hint=hint)
    return SettingsError(
        f"{len(lines)} settings are wrong",
        why="; ".join(f"{where}: {why}" for where, why, _ in lines),
        hint="`opsctl config show --origin` shows where each value comes from.",
    )


def _line(problem: "SettingProblem", top: Mapping[str, GivenValue]) -> tuple[str, str, str]:
    path = _path(problem.location)
    field = fields().get(path)
    written = top.get(path) or next(
        (value for name, value in top.items() if name.startswith(f"{path}.")), None
    )
    where = f"{written.place if written else DEFAULT}: {path} is wrong"
    why = _why(problem.message, written, secret=field is None or is_secret(field))
    return where, why, f"{path}: {field.description}" if field else ""


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location[:2] if isinstance(part, str))


def _why(message: str, written: GivenValue | None, *, secret: bool) -> str:
    text = message.removeprefix("Value error, ").replace("Input should be", "it should be")
    given = "" if written is None or secret else f", not {written.value!r}"
    return f"{text[:1].lower()}{text[1:]}{given}"
