"""Builds each part of a run once, when it is first used, and closes them all."""

from opsctl.wiring.databases import DatabaseWiring
from opsctl.wiring.engine import EngineWiring
from opsctl.wiring.folders import FolderWiring
from opsctl.wiring.notifications import NotificationWiring
from opsctl.wiring.policy import PolicyWiring
from opsctl.wiring.project import ProjectLocation
from opsctl.wiring.redis import RedisWiring

__all__ = ["ProjectLocation", "Wiring"]


class Wiring(
    EngineWiring, DatabaseWiring, RedisWiring, FolderWiring, NotificationWiring, PolicyWiring
):
    """Every part of one run; each module of this package builds those of its kind."""
