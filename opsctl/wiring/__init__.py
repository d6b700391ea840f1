"""Builds each part once, when it is first asked for, and closes them all."""

from opsctl.wiring.databases import DatabaseParts
from opsctl.wiring.engine import EngineParts
from opsctl.wiring.folders import FolderParts
from opsctl.wiring.ground import WorkPlace
from opsctl.wiring.notices import NoticeParts
from opsctl.wiring.redis import RedisParts

__all__ = ["Wiring", "WorkPlace"]


class Wiring(EngineParts, DatabaseParts, RedisParts, FolderParts, NoticeParts):
    """Every part of one run; each file beside this one builds those of its kind."""
