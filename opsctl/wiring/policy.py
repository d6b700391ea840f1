"""What `opsctl check` reads: files, the git history, ports of other machines."""

from functools import cached_property
from typing import TYPE_CHECKING

from opsctl.settings import LoadedSettings, load_settings

if TYPE_CHECKING:
    from opsctl.systems.files.read_tree import Tree
    from opsctl.systems.git.history import History
    from opsctl.systems.network.ports import Ports

from opsctl.wiring.project import ProjectWiring


class PolicyWiring(ProjectWiring):
    def loaded_for(self, env: str) -> LoadedSettings:
        """Read the settings of another environment; the other parts do not use them."""
        return load_settings(self._request().replaced(env=env), self._read, self._memory())

    @cached_property
    def tree(self) -> "Tree":
        from opsctl.systems.files.read_tree import LocalTree

        return LocalTree()

    @cached_property
    def history(self) -> "History":
        from opsctl.systems.git.history import GitHistory

        return GitHistory(self.processes)

    @cached_property
    def ports(self) -> "Ports":
        from opsctl.systems.network.ports import SocketPorts

        return SocketPorts(self.clock)
