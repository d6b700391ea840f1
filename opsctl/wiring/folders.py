"""Folders and trees of files: their sizes, and removal."""

from functools import cached_property
from typing import TYPE_CHECKING

from opsctl.wiring.project import ProjectWiring

if TYPE_CHECKING:
    from opsctl.systems.files.folder_sizes import Folders
    from opsctl.systems.removal.tree import Trees
    from opsctl.systems.removal.workers import RemovalWorkers


class FolderWiring(ProjectWiring):
    @cached_property
    def trees(self) -> "Trees":
        from opsctl.systems.removal.tree import LocalTrees

        return LocalTrees(self.clock)

    @cached_property
    def removal_workers(self) -> "RemovalWorkers":
        from opsctl.systems.removal.workers import LocalRemovalWorkers

        return LocalRemovalWorkers(self.clock, count=self.settings.retention.workers)

    @cached_property
    def folders(self) -> "Folders":
        from opsctl.systems.files.folder_sizes import LocalFolders

        return LocalFolders(self.clock)
