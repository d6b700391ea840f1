"""Remembers settings that were checked, until anything they came from changes; never a secret."""

import json
from binascii import crc32
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from opsctl.errors import OpsctlError
from opsctl.settings.model import Settings, fields, is_secret, known_variables, sections, value_at
from opsctl.settings.reading.dotenv import Variable, read_dotenv
from opsctl.settings.reading.find_files import DOTENV, ReadText, SettingsRequest, SettingsSources
from opsctl.settings.reading.layers import GivenValue, from_variables, unknown_variables
from opsctl.settings.reading.origin import Origin
from opsctl.settings.reading.resolve import LoadedSettings, ResolvedSettings
from opsctl.settings.secret import Secret
from opsctl.settings.section import Section

# What a secret is remembered as: that there is one.
PRESENT = "***"
ALSO_READ = frozenset({"APP_ENV"})
# What reading an entry of another hand may raise.
STRANGE = (ValueError, LookupError, TypeError, AttributeError)


class SettingsCache(Protocol):
    """Texts by name, which may be gone at any time."""

    @property
    def generation(self) -> str:
        """Name the code that made the entries; those of other code are not believed."""
        ...

    def recall(self, name: str) -> str | None: ...

    def keep(self, name: str, text: str) -> None: ...


def recall(
    request: SettingsRequest, read: ReadText, memory: SettingsCache
) -> LoadedSettings | None:
    """Give what was checked before, if all it came from is still the same to the letter."""
    text = memory.recall(_name(request))
    if text is None:
        return None
    try:
        entry = json.loads(text)
        if entry["said"] != _said(request, memory.generation):
            return None
        seen = {path: read(Path(path)) for path in entry["files"]}
        if any(_fingerprint(path, seen[path]) != known for path, known in entry["files"].items()):
            return None
        return _rebuilt(entry, request, seen)
    except (*STRANGE, OpsctlError):
        # Whatever is wrong, reading anew says it properly.
        return None


def keep(
    memory: SettingsCache,
    request: SettingsRequest,
    seen: Mapping[Path, str | None],
    gathered: SettingsSources,
    loaded: LoadedSettings,
) -> None:
    """Remember what was just checked; a project whose files hold a secret is not remembered."""
    written = (value for layer in (*gathered.documents, *gathered.last) for value in layer)
    if any(is_secret(fields()[value.path]) and value.value for value in written):
        return
    entry = {
        "said": _said(request, memory.generation),
        "files": {str(path): _fingerprint(str(path), text) for path, text in seen.items()},
        "project_dir": str(loaded.project_dir),
        "names": loaded.files,
        "values": dict(_values(loaded.resolved)),
    }
    memory.keep(_name(request), json.dumps(entry))


def _name(request: SettingsRequest) -> str:
    stands = f"{request.directory}\0{request.config}\0{request.env}"
    return f"{crc32(stands.encode(errors='surrogateescape')):08x}.json"


def _said(request: SettingsRequest, generation: str) -> list[Any]:
    flags = sorted([path, value] for path, value in (request.flags or {}).items())
    stands = [str(request.directory), str(request.config), request.env]
    return [generation, *stands, flags, sorted(_relevant(request.variables()))]


def _fingerprint(path: str, text: str | None) -> Any:
    if text is None or Path(path).name != DOTENV.name:
        return text
    return list(_relevant(read_dotenv(text, path)))


def _relevant(given: Iterable[Variable]) -> Iterator[list[Any]]:
    """List what bears on settings, with line; of a secret only that it is there."""
    known = known_variables()
    for variable in given:
        path = known.get(variable.name)
        if path is not None or variable.name in ALSO_READ:
            hidden = path is not None and is_secret(fields()[path]) and variable.value
            yield [variable.name, PRESENT if hidden else variable.value, variable.place.line]


def _values(resolved: ResolvedSettings) -> Iterator[tuple[str, list[Any]]]:
    for path, place in resolved.origins.items():
        if not is_secret(fields()[path]):
            value = _plain(value_at(resolved.settings, path))
            yield path, [value, place.source, place.line]


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return {type(value).__name__: {key: _plain(each) for key, each in vars(value).items()}}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _lifted(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_lifted(each) for each in value)
    if not isinstance(value, dict):
        return value
    ((name, given),) = value.items()
    made = next(one for one in Section.__subclasses__() if one.__name__ == name)
    return made(**{key: _lifted(each) for key, each in given.items()})


def _rebuilt(
    entry: Mapping[str, Any], request: SettingsRequest, seen: Mapping[str, str | None]
) -> LoadedSettings:
    project_dir = Path(entry["project_dir"])
    text = seen[str(project_dir / DOTENV)]
    layers = (() if text is None else read_dotenv(text, str(DOTENV)), request.variables())
    values = {path: _lifted(value) for path, (value, *_) in entry["values"].items()}
    origins = {path: Origin(source, line) for path, (_, source, line) in entry["values"].items()}
    for secret in _secrets(layers):
        values[secret.path], origins[secret.path] = Secret(secret.value), secret.place
    resolved = ResolvedSettings(_settings(values), MappingProxyType(origins))
    unknown = unknown_variables((*layers[0], *layers[1]))
    return LoadedSettings(project_dir, resolved, tuple(entry["names"]), unknown)


def _secrets(layers: Iterable[Iterable[Variable]]) -> Iterator[GivenValue]:
    for layer in layers:
        yield from (one for one in from_variables(layer) if is_secret(fields()[one.path]))


def _settings(values: Mapping[str, Any]) -> Settings:
    given: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        where, _, key = path.rpartition(".")
        given.setdefault(where, {})[key] = value
    top = given.pop("", {})
    for name, section in sections():
        if name in given:
            top[name] = section(**given[name])
    return Settings(**top)
