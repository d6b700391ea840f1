"""What `opsctl disk` works with; each part is built when first asked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opsctl.settings import Settings

if TYPE_CHECKING:
    from opsctl.notify.notifier import Notifier
    from opsctl.state.store import Store
    from opsctl.systems.clock import Clock
    from opsctl.systems.engine.containers import Containers
    from opsctl.systems.files.folder_sizes import Folders
    from opsctl.systems.host import Host
    from opsctl.systems.removal.tree import Trees
    from opsctl.systems.removal.workers import Sweepers


class Parts(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def state_directory(self) -> Path: ...
    @property
    def clock(self) -> "Clock": ...
    @property
    def host(self) -> "Host": ...
    @property
    def trees(self) -> "Trees": ...
    @property
    def sweepers(self) -> "Sweepers": ...
    @property
    def folders(self) -> "Folders": ...
    @property
    def containers(self) -> "Containers": ...
    @property
    def store(self) -> "Store": ...
    @property
    def notifier(self) -> "Notifier": ...
