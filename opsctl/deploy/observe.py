"""Looks at everything a plan is made from; changes nothing."""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.deploy.compose_file import active, chosen, draft, drafted, merged, needed
from opsctl.deploy.context import Site
from opsctl.deploy.guards import is_stateful
from opsctl.deploy.model import (
    HASH,
    ONE_OFF,
    PROJECT,
    SERVICE,
    Draft,
    Migration,
    Recorded,
    Running,
    Seen,
    Target,
    Wish,
)
from opsctl.deploy.releases.release_log import Ledger
from opsctl.systems.engine.compose_model import RenderedProject, read_rendered
from opsctl.systems.engine.inventory import InventoryImage, PortPublisher
from opsctl.systems.engine.model import Container
from opsctl.systems.files.local import MissingFileError
from opsctl.systems.git.repository import GitFacts

if TYPE_CHECKING:
    from opsctl.systems.host import Listener, Usage

LEFT_OVER = re.compile(r"[0-9a-f]{12}_.+")
FILES = "releases"
THREADS = 2


@dataclass(frozen=True, slots=True)
class Checkout:
    git: GitFacts | None
    experiment: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    rendering: Future[RenderedProject]
    checkout: Future[Checkout]


@dataclass(frozen=True)
class Observer:
    site: Site

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.site.store.releases, self.site.clock, self.site.target.env)

    @cached_property
    def asked(self) -> Asked:
        """Ask compose and git about the folder; they take a while, so let them begin early."""
        target = self.site.target
        pool = ThreadPoolExecutor(THREADS)
        try:
            rendering = pool.submit(self.site.compose.config, target.compose_project())
            return Asked(rendering, pool.submit(self._checkout))
        finally:
            pool.shutdown(wait=False)

    def of(self, env: str) -> Ledger:
        """Open the ledger of another environment."""
        return Ledger(self.site.store.releases, self.site.clock, env)

    def look(self, wish: Wish, migration: Migration | None = None) -> Seen:
        """See what a new deploy would meet; compose and git are asked while the engine answers."""
        asked = self.asked
        live, unfinished = self.ledger.live(), self.ledger.unfinished()
        found, disk = self.containers(), self._disk()
        made = self._made(asked.rendering.result(), wish, live)
        with ThreadPoolExecutor(1) as pool:
            hashing = pool.submit(self._hashed, made, live)
            images = self._images(made)
            made = hashing.result()
        seen = self._seen(made, found, images, disk, asked.checkout.result())
        pending = migration.pending() if migration else None
        return replace(seen, live=live, unfinished=unfinished, migration=pending)

    def look_at(self, made: Draft, *, live: Recorded | None, unfinished: Recorded | None) -> Seen:
        """See what running this very project would meet."""
        images = self._images(made)
        seen = self._seen(made, self.containers(), images, self._disk(), self._checkout())
        return replace(seen, live=live, unfinished=unfinished)

    def _made(self, rendered: RenderedProject, wish: Wish, live: Recorded | None) -> Draft:
        target = self.site.target
        # Asked before anything else may use a name that came from outside.
        chosen(wish.services, dict.fromkeys(active(rendered, target.profiles)))
        made = draft(rendered, app_env=target.app_env, profiles=target.profiles)
        return self._in_part(made, wish, live) if wish.services and live is not None else made

    def _seen(
        self,
        made: Draft,
        found: tuple[Container, ...],
        images: Mapping[str, InventoryImage | None],
        disk: "Usage | None",
        checkout: Checkout,
    ) -> Seen:
        rules = self.site.settings.deploy
        running, left_over = split(found)
        publishers, listeners = self._ports(made, self.site.target)
        return Seen(
            target=self.site.target,
            draft=made,
            running=running,
            left_over=left_over,
            image_ids={name: image.id if image else None for name, image in images.items()},
            image_sizes={name: image.size_bytes for name, image in images.items() if image},
            git=checkout.git,
            experiment=checkout.experiment,
            disk=disk,
            publishers=publishers,
            listeners=listeners,
            tailnet=self._tailnet(made),
            stateful=frozenset(n for n in made.services if is_stateful(made.service(n), rules)),
        )

    def _images(self, made: Draft) -> dict[str, InventoryImage | None]:
        return {name: self.site.stock.image(name) for name in sorted(set(made.images.values()))}

    def _checkout(self) -> Checkout:
        target = self.site.target
        facts = self.site.git.facts(target.directory)
        return Checkout(facts, self.site.experiment if target.is_prod else None)

    def running(self) -> tuple[Running, ...]:
        return split(self.containers())[0]

    def containers(self) -> tuple[Container, ...]:
        return self.site.containers.find(f"{PROJECT}={self.site.target.project}")

    def read_draft(self, release: Recorded) -> Draft | None:
        """Read the very file that a release ran from; None when it is gone."""
        try:
            text = self.site.files.read_text(Path(release.file)) if release.file else ""
        except MissingFileError:
            return None
        if not text:
            return None
        read = read_rendered(text)
        return Draft(text, release.digest, read, release.services, release.hashes)

    def _in_part(self, made: Draft, wish: Wish, live: Recorded) -> Draft:
        """Leave every service that was not named as the live release has it."""
        before = self.read_draft(live)
        if before is None:
            return made
        names = needed(made, wish.services)
        return drafted(merged(made.text, before.text, names), self.site.target.profiles)

    def _hashed(self, made: Draft, live: Recorded | None) -> Draft:
        """Ask compose for its hashes, unless it was asked about this very text before."""
        if live is not None and live.digest == made.digest and live.hashes:
            return replace(made, hashes=live.hashes)
        site = self.site
        folder = site.state_directory / FILES
        site.files.make_private_dir(folder)
        path = folder / f"draft-{site.target.env}-{site.actor.pid}.json"
        site.files.write_text(path, made.text)
        try:
            found = site.compose.hashes(site.target.compose_project(path))
        finally:
            site.files.remove(path)
        return replace(made, hashes={name: found[name] for name in made.services if name in found})

    def _ports(
        self, made: Draft, target: Target
    ) -> "tuple[tuple[PortPublisher, ...], tuple[Listener, ...]]":
        """Ask who listens only when something would be published."""
        services = (made.service(name) for name in made.services)
        if not any(port.published for service in services for port in service.ports):
            return (), ()
        publishers = self.site.stock.publishers()
        return publishers, () if target.is_remote else self.site.host.listeners()

    def _tailnet(self, made: Draft) -> frozenset[str]:
        """Ask for our addresses in the tailnet only when a port is bound to neither end."""
        services = (made.service(name) for name in made.services)
        bound = {port.host_ip for service in services for port in service.ports}
        beyond = {ip for ip in bound if ip and not ip.startswith(("127.", "0.", "::"))}
        return self.site.tailnet.own_addresses() if beyond else frozenset()

    def _disk(self) -> "Usage | None":
        root = self.site.stock.facts().root
        return self.site.engine_usage(Path(root)) if root else None


def split(found: Iterable[Container]) -> tuple[tuple[Running, ...], tuple[Container, ...]]:
    """Part the project's containers from what an interrupted replacement left."""
    own = [one for one in found if one.labels.get(ONE_OFF, "False").casefold() != "true"]
    left_over = tuple(one for one in own if is_left_over(one))
    running = tuple(read_running(one) for one in own if one not in left_over)
    return running, left_over


def is_left_over(container: Container) -> bool:
    """Compose names the new one `<id of the old>_<name>` until the old one is gone."""
    return bool(LEFT_OVER.fullmatch(container.name)) and container.state != "running"


def read_running(container: Container) -> Running:
    labels: Mapping[str, str] = container.labels
    return Running(labels.get(SERVICE, ""), container, labels.get(HASH, ""))
