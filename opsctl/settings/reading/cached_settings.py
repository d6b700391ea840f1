"""Caches validated settings until a source of theirs changes; never a secret."""

import json
from binascii import crc32
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from opsctl.errors import OpsctlError
from opsctl.settings.model import Settings, fields, is_secret, known_variables, sections, value_at
from opsctl.settings.reading.find_settings_files import (
    DOTENV,
    ReadText,
    SettingsRequest,
    SettingsSources,
)
from opsctl.settings.reading.layers import GivenValue, from_variables, unknown_variables
from opsctl.settings.reading.origin import Origin
from opsctl.settings.reading.parse_dotenv import Variable, read_dotenv
from opsctl.settings.reading.refuse_renamed import renamed_variables
from opsctl.settings.reading.resolve import LoadedSettings, ResolvedSettings
from opsctl.settings.secret import Secret
from opsctl.settings.section import Section

# Stands for a secret: only that there is one is cached.
PRESENT = "***"
ALSO_READ = frozenset({"APP_ENV"})
# What reading a foreign or damaged entry may raise.
INVALID_ENTRY = (ValueError, LookupError, TypeError, AttributeError)


class SettingsCache(Protocol):
    """Texts by name; an entry may disappear at any time."""

    @property
    def generation(self) -> str:
        """Identify the code that writes entries; those of other code are ignored."""
        ...

    def recall(self, name: str) -> str | None: ...

    def keep(self, name: str, text: str) -> None: ...


def read_cached(
    request: SettingsRequest, read: ReadText, cache: SettingsCache
) -> LoadedSettings | None:
    """Give the cached settings if all their sources are unchanged."""
    text = cache.recall(_name(request))
    if text is None:
        return None
    try:
        entry = json.loads(text)
        if entry["request"] != _describe_request(request, cache.generation):
            return None
        seen = {path: read(Path(path)) for path in entry["files"]}
        if any(_fingerprint(path, seen[path]) != known for path, known in entry["files"].items()):
            return None
        return _rebuilt(entry, request, seen)
    except (*INVALID_ENTRY, OpsctlError):
        # Whatever is wrong, reading the sources again reports it properly.
        return None


def write_cached(
    cache: SettingsCache,
    request: SettingsRequest,
    seen: Mapping[Path, str | None],
    sources: SettingsSources,
    loaded: LoadedSettings,
) -> None:
    """Cache validated settings; a project whose files contain a secret is not cached."""
    written = (value for layer in (*sources.documents, *sources.last) for value in layer)
    if any(is_secret(fields()[value.path]) and value.value for value in written):
        return
    entry = {
        "request": _describe_request(request, cache.generation),
        "files": {str(path): _fingerprint(str(path), text) for path, text in seen.items()},
        "project_dir": str(loaded.project_dir),
        "names": loaded.files,
        "values": dict(_values(loaded.resolved)),
    }
    cache.keep(_name(request), json.dumps(entry))


def _name(request: SettingsRequest) -> str:
    key = f"{request.directory}\0{request.config}\0{request.env}"
    return f"{crc32(key.encode(errors='surrogateescape')):08x}.json"


def _describe_request(request: SettingsRequest, generation: str) -> list[Any]:
    flags = sorted([path, value] for path, value in (request.flags or {}).items())
    place = [str(request.directory), str(request.config), request.env]
    return [generation, *place, flags, sorted(_relevant(request.variables()))]


def _fingerprint(path: str, text: str | None) -> Any:
    if text is None or Path(path).name != DOTENV.name:
        return text
    return list(_relevant(read_dotenv(text, path)))


def _relevant(given: Iterable[Variable]) -> Iterator[list[Any]]:
    """List the variables that affect settings, with line; of a secret only that it is set."""
    known, others = known_variables(), ALSO_READ | renamed_variables().keys()
    for variable in given:
        path = known.get(variable.name)
        if path is not None or variable.name in others:
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


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_restored(each) for each in value)
    if not isinstance(value, dict):
        return value
    ((name, given),) = value.items()
    made = next(section for section in Section.__subclasses__() if section.__name__ == name)
    return made(**{key: _restored(each) for key, each in given.items()})


def _rebuilt(
    entry: Mapping[str, Any], request: SettingsRequest, seen: Mapping[str, str | None]
) -> LoadedSettings:
    project_dir = Path(entry["project_dir"])
    text = seen[str(project_dir / DOTENV)]
    layers = (() if text is None else read_dotenv(text, str(DOTENV)), request.variables())
    values = {path: _restored(value) for path, (value, *_) in entry["values"].items()}
    origins = {path: Origin(source, line) for path, (_, source, line) in entry["values"].items()}
    for secret in _secrets(layers):
        values[secret.path], origins[secret.path] = Secret(secret.value), secret.place
    resolved = ResolvedSettings(_settings(values), MappingProxyType(origins))
    unknown = unknown_variables((*layers[0], *layers[1]))
    return LoadedSettings(project_dir, resolved, tuple(entry["names"]), unknown)


def _secrets(layers: Iterable[Iterable[Variable]]) -> Iterator[GivenValue]:
    for layer in layers:
        yield from (value for value in from_variables(layer) if is_secret(fields()[value.path]))


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
