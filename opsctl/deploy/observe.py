"""Reads everything that a plan is made from; changes nothing."""

import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.deploy.compose_file import (
    active_services,
    check_service_names,
    generate_project,
    merge_services,
    read_generated,
    with_dependencies,
)
from opsctl.deploy.context import DeployContext
from opsctl.deploy.integrations import Migrator
from opsctl.deploy.model import (
    DeployOptions,
    EngineResources,
    GeneratedProject,
    Observation,
    RecordedRelease,
    ServiceContainer,
)
from opsctl.deploy.mounted.label_project import keep_recorded, label_project
from opsctl.deploy.mounted.stored_files import FileStore
from opsctl.deploy.planning.ask_compose import RELEASE_FILES, ask_compose, draft_file
from opsctl.deploy.planning.changed_keys import ProjectChanges, compare_projects
from opsctl.deploy.planning.compose_actions import ActionKind, ComposeActions
from opsctl.deploy.planning.fetches import names_for_up
from opsctl.deploy.preflight.databases import is_database, is_stateful
from opsctl.deploy.preflight.shared_resources import names_to_look_up
from opsctl.deploy.releases.release_log import ReleaseLog
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_labels import (
    CONFIG_HASH_LABEL,
    ONE_OFF_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    VERSION_LABEL,
)
from opsctl.systems.engine.compose_model import RenderedProject, read_rendered
from opsctl.systems.engine.inventory import InventoryImage, PortPublisher
from opsctl.systems.engine.model import Container
from opsctl.systems.files.local import MissingFileError
from opsctl.systems.git.repository import GitFacts

if TYPE_CHECKING:
    from opsctl.systems.host import Listener, Usage

TEMPORARY_NAME = re.compile(r"[0-9a-f]{12}_.+")
THREADS = 2


@dataclass(frozen=True, slots=True)
class Checkout:
    git: GitFacts | None
    experiment: str | None


@dataclass(frozen=True, slots=True)
class BackgroundReads:
    rendered: Future[RenderedProject]
    checkout: Future[Checkout]


@dataclass(frozen=True)
class Observer:
    context: DeployContext

    @cached_property
    def release_log(self) -> ReleaseLog:
        return self.release_log_of(self.context.target.env)

    def release_log_of(self, env: str) -> ReleaseLog:
        return ReleaseLog(self.context.store.releases, self.context.clock, env)

    @cached_property
    def background_reads(self) -> BackgroundReads:
        """Ask compose and git about the folder; they take a while, so start them early."""
        project = self.context.target.compose_project()
        pool = ThreadPoolExecutor(THREADS)
        try:
            rendered = pool.submit(self.context.compose.config, project)
            return BackgroundReads(rendered, pool.submit(self._read_checkout))
        finally:
            pool.shutdown(wait=False)

    def observe(self, options: DeployOptions, migrator: Migrator | None = None) -> Observation:
        """Observe what a new deploy would change; compose and git run beside the engine calls."""
        reads = self.background_reads
        current, unfinished = self.release_log.current(), self.release_log.unfinished()
        containers, disk = self.project_containers(), self._engine_disk()
        services = split_leftovers(containers)[0]
        generated = self._generate(reads.rendered.result(), options, services, current)
        with ThreadPoolExecutor(THREADS) as pool:
            hashing = pool.submit(self.with_config_hashes, generated, current)
            asking = pool.submit(self.ask_compose, generated, services, options)
            images = self._find_images(generated)
            observation = self._build_observation(
                generated, containers, images, disk, reads.checkout.result()
            )
            observation = replace(observation, generated=hashing.result(), compose=asking.result())
        return replace(
            observation,
            current_release=current,
            unfinished_release=unfinished,
            pending_migrations=migrator.pending() if migrator else None,
            changes=self.find_changes(generated, current),
            compose_upgrade=self.find_compose_upgrade(observation),
            unset_variables=reads.rendered.result().unset_variables,
        )

    def ask_compose(
        self,
        generated: GeneratedProject,
        containers: tuple[ServiceContainer, ...],
        options: DeployOptions,
        *,
        changed: Collection[str] = (),
    ) -> ComposeActions:
        """Ask what `up` would do now; `changed` services count as changed."""
        names = names_for_up(generated, options, self.context.target.profiles)
        return ask_compose(self.context, generated, names, containers, changed=changed)

    def find_compose_upgrade(self, observation: Observation) -> str:
        """Compare compose's version with what the containers say, when any is recreated."""
        actions = observation.compose.actions if observation.compose else ()
        if not any(found.action is ActionKind.RECREATE for found in actions):
            return ""
        labels = (found.container.labels.get(VERSION_LABEL) for found in observation.containers)
        before = sorted({version for version in labels if version})
        # Debian adds its own number to the program's version, and not to the label's.
        now = self.context.compose.version().partition("-")[0]
        if not before or before == [now]:
            return ""
        return f"compose was upgraded from {', '.join(v for v in before if v != now)} to {now}"

    def find_changes(
        self, generated: GeneratedProject, current: RecordedRelease | None
    ) -> ProjectChanges | None:
        previous = self.read_release_file(current) if current else None
        if previous is None:
            return None
        secrets = (*previous.rendered.secrets, *generated.rendered.secrets)
        return compare_projects(previous.text, generated.text, secrets)

    def observe_generated(
        self,
        generated: GeneratedProject,
        *,
        current: RecordedRelease | None,
        unfinished: RecordedRelease | None,
    ) -> Observation:
        """Observe what running this generated project would change."""
        images = self._find_images(generated)
        observation = self._build_observation(
            generated, self.project_containers(), images, self._engine_disk(), self._read_checkout()
        )
        return replace(observation, current_release=current, unfinished_release=unfinished)

    def service_containers(self) -> tuple[ServiceContainer, ...]:
        return split_leftovers(self.project_containers())[0]

    def project_containers(self) -> tuple[Container, ...]:
        """Find all containers of the project: leftovers and one-off runs as well."""
        return self.context.containers.find(f"{PROJECT_LABEL}={self.context.target.project}")

    def read_release_file(self, release: RecordedRelease) -> GeneratedProject | None:
        """Read the file that a release ran from; None when it no longer exists."""
        try:
            text = self.context.files.read_text(Path(release.file)) if release.file else ""
        except MissingFileError:
            return None
        if not text:
            return None
        generated = GeneratedProject(
            text, release.file_digest, read_rendered(text), release.services, release.config_hashes
        )
        mounted = self.file_store.read(release.id)
        return replace(generated, mounted=mounted, file_labels=release.file_labels)

    @cached_property
    def file_store(self) -> FileStore:
        return FileStore(self.context.contents, self.context.state_directory / RELEASE_FILES)

    def _generate(
        self,
        rendered: RenderedProject,
        options: DeployOptions,
        containers: tuple[ServiceContainer, ...],
        current: RecordedRelease | None,
    ) -> GeneratedProject:
        target = self.context.target
        # Before anything else may use a name that came from outside.
        check_service_names(
            (*options.services, *options.force_recreate),
            dict.fromkeys(active_services(rendered, target.profiles)),
        )
        generated = generate_project(rendered, app_env=target.app_env, profiles=target.profiles)
        generated = label_project(self.context, self.file_store, generated, containers, current)
        if not options.services or current is None:
            return generated
        return self._merge_into_current(generated, options, current)

    def _merge_into_current(
        self, generated: GeneratedProject, options: DeployOptions, current: RecordedRelease
    ) -> GeneratedProject:
        """Leave every service that was not named as the current release has it."""
        before = self.read_release_file(current)
        if before is None:
            return generated
        names = with_dependencies(generated, options.services)
        merged = merge_services(generated.text, before.text, names)
        project = read_generated(merged, self.context.target.profiles)
        mounted = self.file_store.read(current.id)
        return keep_recorded(project, generated, names, before=mounted, current=current)

    def _build_observation(
        self,
        generated: GeneratedProject,
        containers: tuple[Container, ...],
        images: Mapping[str, InventoryImage | None],
        disk: "Usage | None",
        checkout: Checkout,
    ) -> Observation:
        settings = self.context.settings.deploy
        service_containers, leftovers = split_leftovers(containers)
        publishers, listeners = self._find_port_users(generated)
        observation = Observation(
            target=self.context.target,
            generated=generated,
            containers=service_containers,
            leftovers=leftovers,
            image_sizes={name: image.size_bytes for name, image in images.items() if image},
            git=checkout.git,
            experiment=checkout.experiment,
            disk=disk,
            publishers=publishers,
            listeners=listeners,
            tailnet_addresses=self._find_tailnet_addresses(generated),
            stateful_services=frozenset(
                name
                for name in generated.services
                if _is_stateful_database(generated, name, images, settings)
            ),
            images={name: image for name, image in images.items() if image},
            resources=self._find_resources(generated),
        )
        return with_images(observation, images)

    def _find_resources(self, generated: GeneratedProject) -> EngineResources:
        """Ask about fixed and external names; most projects have none."""
        inventory, containers = self.context.inventory, self.context.containers
        rendered, project = generated.rendered, self.context.target.project
        volumes = names_to_look_up(rendered.declared_volumes, project)
        networks = names_to_look_up(rendered.declared_networks, project)
        services = (generated.service(name) for name in generated.services)
        named = {name: containers.inspect(name) for s in services if (name := s.container_name)}
        return EngineResources(
            volumes={name: inventory.volume_labels(name) for name in volumes},
            networks={name: inventory.network_labels(name) for name in networks},
            containers={name: found.labels if found else None for name, found in named.items()},
        )

    def _find_images(self, generated: GeneratedProject) -> dict[str, InventoryImage | None]:
        names = sorted(set(generated.images.values()))
        return {name: self.context.inventory.image(name) for name in names}

    def _read_checkout(self) -> Checkout:
        target = self.context.target
        git = self.context.git.facts(target.directory)
        return Checkout(git, self.context.experiment if target.is_prod else None)

    def with_config_hashes(
        self, generated: GeneratedProject, current: RecordedRelease | None
    ) -> GeneratedProject:
        """Ask compose for its hashes, unless the current release was made from the same text."""
        if current and current.file_digest == generated.digest and current.config_hashes:
            return replace(generated, config_hashes=current.config_hashes)
        context = self.context
        with draft_file(context, generated.text, "draft") as path:
            hashes = context.compose.hashes(context.target.compose_project(path))
        names = (name for name in generated.services if name in hashes)
        return replace(generated, config_hashes={name: hashes[name] for name in names})

    def _find_port_users(
        self, generated: GeneratedProject
    ) -> "tuple[tuple[PortPublisher, ...], tuple[Listener, ...]]":
        """Find who uses the host's ports, only when the project publishes one."""
        services = (generated.service(name) for name in generated.services)
        if not any(port.published for service in services for port in service.ports):
            return (), ()
        publishers = self.context.inventory.publishers()
        return publishers, () if self.context.target.is_remote else self.context.host.listeners()

    def _find_tailnet_addresses(self, generated: GeneratedProject) -> frozenset[str]:
        """Find our tailnet addresses, only when a port is bound to some address of its own."""
        services = (generated.service(name) for name in generated.services)
        bound = {port.host_ip for service in services for port in service.ports}
        others = {ip for ip in bound if ip and not ip.startswith(("127.", "0.", "::"))}
        return self.context.tailnet.own_addresses() if others else frozenset()

    def _engine_disk(self) -> "Usage | None":
        root = self.context.inventory.facts().root
        return self.context.engine_usage(Path(root)) if root else None


def with_images(
    observation: Observation, images: Mapping[str, InventoryImage | None]
) -> Observation:
    """Put in what the names of images refer to now."""
    return replace(
        observation,
        image_ids={name: image.id if image else None for name, image in images.items()},
        image_manifests={name: image.manifests for name, image in images.items() if image},
    )


def _is_stateful_database(
    generated: GeneratedProject,
    name: str,
    images: Mapping[str, InventoryImage | None],
    settings: Deploy,
) -> bool:
    service, project = generated.service(name), generated.rendered.name
    image = images.get(service.image)
    kinds = (is_stateful, is_database)
    return all(judge(service, settings, image=image, project=project) for judge in kinds)


def split_leftovers(
    containers: Iterable[Container],
) -> tuple[tuple[ServiceContainer, ...], tuple[Container, ...]]:
    """Separate the services' containers from what an interrupted replacement left."""
    ours = [found for found in containers if not is_one_off(found)]
    leftovers = tuple(found for found in ours if is_leftover(found))
    services = tuple(read_service_container(found) for found in ours if found not in leftovers)
    return services, leftovers


def is_one_off(container: Container) -> bool:
    return container.labels.get(ONE_OFF_LABEL, "").casefold() == "true"


def is_leftover(container: Container) -> bool:
    """Compose names the new container `<old id>_<name>` until the old one is removed."""
    return bool(TEMPORARY_NAME.fullmatch(container.name)) and container.state != "running"


def read_service_container(container: Container) -> ServiceContainer:
    labels: Mapping[str, str] = container.labels
    return ServiceContainer(
        labels.get(SERVICE_LABEL, ""), container, labels.get(CONFIG_HASH_LABEL, "")
    )
