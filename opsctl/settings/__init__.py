"""Settings: sections of frozen values, each of which knows its origin."""

from opsctl.settings.load import Explained, Resolved
from opsctl.settings.model import EnvironmentName, Settings
from opsctl.settings.sources import Loaded, Request, defaults, load

__all__ = [
    "EnvironmentName",
    "Explained",
    "Loaded",
    "Request",
    "Resolved",
    "Settings",
    "defaults",
    "load",
]
