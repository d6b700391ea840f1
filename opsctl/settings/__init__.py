"""Settings: sections of frozen values, each of which knows its origin."""

from opsctl.settings.load import Explained, Loaded, Resolved
from opsctl.settings.loading import defaults, load
from opsctl.settings.memory import Memory
from opsctl.settings.model import EnvironmentName, Settings
from opsctl.settings.sources import Request

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
