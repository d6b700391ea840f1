"""From files, variables and flags to settings: checked anew where anything changed."""

from pathlib import Path

from opsctl.settings.model import Settings
from opsctl.settings.reading.cached_settings import SettingsCache, keep, recall
from opsctl.settings.reading.find_files import (
    ReadText,
    SettingsRequest,
    SettingsSources,
    gather,
    gather_defaults,
)
from opsctl.settings.reading.layers import unknown_variables
from opsctl.settings.reading.resolve import LoadedSettings, resolve


def load_settings(
    request: SettingsRequest, read: ReadText, memory: SettingsCache | None = None
) -> LoadedSettings:
    """Read base, overlays, .env, environment and flags, and lay them over each other."""
    if memory is None:
        return _checked(gather(request, read))
    if (known := recall(request, read, memory)) is not None:
        return known
    seen: dict[Path, str | None] = {}

    def noting(path: Path) -> str | None:
        seen[path] = read(path)
        return seen[path]

    gathered = gather(request, noting)
    loaded = _checked(gathered)
    keep(memory, request, seen, gathered, loaded)
    return loaded


def default_settings(request: SettingsRequest, project: str) -> Settings:
    """Settings of a project that has no files yet: defaults, below environment and flags."""
    return resolve(gather_defaults(request, project)).settings


def _checked(gathered: SettingsSources) -> LoadedSettings:
    unknown = unknown_variables(tuple(one for layer in gathered.variables for one in layer))
    return LoadedSettings(gathered.project_dir, resolve(gathered.layers()), gathered.files, unknown)
