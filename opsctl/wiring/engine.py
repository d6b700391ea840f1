"""The container engine, local or remote, and its parts."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.deploy.model import DeployTarget
    from opsctl.systems.engine.capped_container import CappedRunner
    from opsctl.systems.engine.compose import Compose, ComposeProject
    from opsctl.systems.engine.containers import Containers
    from opsctl.systems.engine.guarded_engine import EngineGuard
    from opsctl.systems.engine.inventory import Inventory
    from opsctl.systems.engine.locks import EngineLocks
    from opsctl.systems.files.contents import FileContents
    from opsctl.systems.git.worktree import Sources
    from opsctl.systems.host import Usage
    from opsctl.systems.network.ssh import Tunnel
    from opsctl.systems.network.tailnet import Tailnet

from opsctl.settings.reading.find_settings_files import read_variables
from opsctl.wiring.project import ProjectWiring


class EngineWiring(ProjectWiring):
    @cached_property
    def target(self) -> "DeployTarget":
        """The environment's project and engine; a tunnel to a remote one is opened."""
        from opsctl.deploy.target import read_target

        engine = self._tunnel.address if self._tunnel else ""
        return read_target(
            self.settings, self.project_dir, self._environ, engine=engine, dotenv=self._dotenv
        )

    @cached_property
    def _dotenv(self) -> Mapping[str, str]:
        """The project's .env, which compose reads as well."""
        variables = read_variables(self.project_dir, self._read)
        return {variable.name: variable.value for variable in variables}

    @cached_property
    def _tunnel(self) -> "Tunnel | None":
        from opsctl.deploy.target import SSH, read_engine_address

        named = read_engine_address(self.settings, self._environ)
        if not named.startswith(SSH):
            return None
        from opsctl.systems.network.ssh import Tunnel

        folder = self.state_directory
        self.files.make_private_dir(folder)
        tunnel = Tunnel(named, folder, tailnet=self.tailnet, processes=self.processes)
        return self._exits.enter_context(tunnel)

    @cached_property
    def engine_locks(self) -> "EngineLocks":
        from opsctl.systems.engine.locks import HostLocks

        directory = Path(self.settings.deploy.lock_dir)
        if self._tunnel:
            from opsctl.systems.network.ssh import SshLocks

            return SshLocks(self._tunnel, directory, self.clock)
        return HostLocks(directory, self.clock)

    def engine_usage(self, root: Path) -> "Usage | None":
        """Measure the engine's disk on its machine; None if it cannot be measured from here."""
        if self._tunnel:
            return self._tunnel.usage(root)
        return self.host.usage(root) if root.exists() else None

    @cached_property
    def tailnet(self) -> "Tailnet":
        from opsctl.systems.network.tailnet import TailscaleTailnet

        return TailscaleTailnet(self.processes)

    @cached_property
    def contents(self) -> "FileContents":
        from opsctl.systems.files.contents import LocalContents

        return LocalContents()

    @cached_property
    def sources(self) -> "Sources":
        from opsctl.systems.git.worktree import GitSources

        return GitSources(self.processes)

    @cached_property
    def inventory(self) -> "Inventory":
        from opsctl.systems.docker.inventory import DockerInventory

        inventory = DockerInventory(self.target.engine, deadline_s=self.settings.engine.timeout_s)
        self._exits.callback(inventory.close)
        return inventory

    @cached_property
    def containers(self) -> "Containers":
        from opsctl.systems.docker.containers import DockerContainers

        engine = self.settings.engine
        containers = DockerContainers(self.target.engine, deadline_s=engine.timeout_s)
        self._exits.callback(containers.close)
        return containers

    @cached_property
    def compose(self) -> "Compose":
        from opsctl.systems.docker.compose import DockerCompose
        from opsctl.systems.docker.plugins import find_plugin

        return DockerCompose(self.processes, find_plugin("compose", self._environ))

    @cached_property
    def engine_guard(self) -> "EngineGuard":
        from opsctl.systems.docker.guarded_engine import DockerEngineGuard

        return DockerEngineGuard()

    @cached_property
    def local_project(self) -> "ComposeProject":
        """The environment's compose project on the local engine, wherever it is deployed to."""
        from opsctl.deploy.target import read_target

        target = read_target(
            self.settings,
            self.project_dir,
            self._environ,
            engine=self.local_engine,
            dotenv=self._dotenv,
        )
        return target.compose_project()

    @cached_property
    def sandboxes(self) -> "CappedRunner":
        from opsctl.systems.docker.capped_runner import DockerCappedRunner

        deadline_s = self.settings.engine.timeout_s
        sandboxes = DockerCappedRunner(self.local_engine, deadline_s=deadline_s)
        self._exits.callback(sandboxes.close)
        return sandboxes

    @cached_property
    def local_engine(self) -> str:
        """The local engine: a test never runs where the environment is deployed to."""
        from opsctl.deploy.target import DEFAULT_ENGINE

        return self.settings.engine.host or self._environ.get("DOCKER_HOST", "") or DEFAULT_ENGINE
