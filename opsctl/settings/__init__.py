"""Settings: sections of frozen values, each of which knows its origin."""

from opsctl.settings.load import Explained, Resolved, resolve
from opsctl.settings.model import EnvironmentName, Settings
from opsctl.settings.place import Place

__all__ = ["EnvironmentName", "Explained", "Place", "Resolved", "Settings", "resolve"]
