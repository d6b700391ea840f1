"""The container engine and what is asked of it."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.systems.compose import Compose
    from opsctl.systems.containers import Containers

from opsctl.wiring.ground import Ground


class EngineParts(Ground):
    @cached_property
    def containers(self) -> "Containers":
        from opsctl.systems.containers import DockerContainers, engine_address

        engine = self.settings.engine
        address = engine_address(engine.host, self._environ)
        containers = DockerContainers(address, deadline_s=engine.timeout_s)
        self._exits.callback(containers.close)
        return containers

    @cached_property
    def compose(self) -> "Compose":
        from opsctl.systems.compose import DockerCompose

        return DockerCompose(self.processes)
