"""Trees of files: what is large, and what may go."""

from functools import cached_property
from typing import TYPE_CHECKING

from opsctl.wiring.ground import Ground

if TYPE_CHECKING:
    from opsctl.systems.folders import Folders
    from opsctl.systems.sweepers import Sweepers
    from opsctl.systems.trees import Trees


class FolderParts(Ground):
    @cached_property
    def trees(self) -> "Trees":
        from opsctl.systems.trees import LocalTrees

        return LocalTrees(self.clock)

    @cached_property
    def sweepers(self) -> "Sweepers":
        from opsctl.systems.sweepers import LocalSweepers

        return LocalSweepers(self.clock, count=self.settings.retention.threads)

    @cached_property
    def folders(self) -> "Folders":
        from opsctl.systems.folders import LocalFolders

        return LocalFolders(self.clock)
