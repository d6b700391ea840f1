"""Loads settings from files, variables and flags, or from the cache if nothing changed."""

from pathlib import Path

from opsctl.settings.model import Settings
from opsctl.settings.reading.cached_settings import SettingsCache, read_cached, write_cached
from opsctl.settings.reading.find_settings_files import (
    ReadText,
    SettingsRequest,
    SettingsSources,
    read_sources,
    read_sources_without_files,
)
from opsctl.settings.reading.layers import unknown_variables
from opsctl.settings.reading.resolve import LoadedSettings, resolve


def load_settings(
    request: SettingsRequest, read: ReadText, cache: SettingsCache | None = None
) -> LoadedSettings:
    """Load base file, overlays, .env, environment and flags; the strongest source wins."""
    if cache is None:
        return _validate(read_sources(request, read))
    if (known := read_cached(request, read, cache)) is not None:
        return known
    seen: dict[Path, str | None] = {}

    def read_and_record(path: Path) -> str | None:
        seen[path] = read(path)
        return seen[path]

    sources = read_sources(request, read_and_record)
    loaded = _validate(sources)
    write_cached(cache, request, seen, sources, loaded)
    return loaded


def default_settings(request: SettingsRequest, project: str) -> Settings:
    """Give the settings of a project without files: environment and flags over defaults."""
    return resolve(read_sources_without_files(request, project)).settings


def _validate(sources: SettingsSources) -> LoadedSettings:
    unknown = unknown_variables(
        tuple(variable for layer in sources.variables for variable in layer)
    )
    return LoadedSettings(sources.project_dir, resolve(sources.layers()), sources.files, unknown)
