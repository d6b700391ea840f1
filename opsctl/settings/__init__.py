"""Settings: sections of frozen values, each of which knows its origin."""

from opsctl.settings.model import EnvironmentName, Settings
from opsctl.settings.reading.checked_before import Memory
from opsctl.settings.reading.find_files import Request
from opsctl.settings.reading.load import defaults, load
from opsctl.settings.reading.resolve import Explained, Loaded, Resolved

__all__ = [
    "EnvironmentName",
    "Explained",
    "Loaded",
    "Memory",
    "Request",
    "Resolved",
    "Settings",
    "defaults",
    "load",
]
