"""Settings: sections of frozen values, each with its origin."""

from opsctl.settings.model import EnvironmentName, Settings
from opsctl.settings.reading.cached_settings import SettingsCache
from opsctl.settings.reading.find_settings_files import SettingsRequest
from opsctl.settings.reading.load import default_settings, load_settings
from opsctl.settings.reading.resolve import DescribedSetting, LoadedSettings, ResolvedSettings

__all__ = [
    "DescribedSetting",
    "EnvironmentName",
    "LoadedSettings",
    "ResolvedSettings",
    "Settings",
    "SettingsCache",
    "SettingsRequest",
    "default_settings",
    "load_settings",
]
