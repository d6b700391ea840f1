"""What must hold before anything is changed: each guard a pure function, refusing or warning."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from opsctl.addresses import EVERYWHERE, is_loopback
from opsctl.deploy.model import (
    Act,
    Change,
    Objection,
    Plan,
    Seen,
    ServicePlan,
    Wish,
)
from opsctl.errors import RefusedError
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_model import Port, Service

MIB = 1024 * 1024
SOCKETS = frozenset(
    {"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run", "/", "/var"}
    | {"/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock"}
)
HOSTS_OWN = "host"


@dataclass(frozen=True, slots=True)
class Case:
    """What the guards look at."""

    seen: Seen
    plan: Plan
    wish: Wish
    rules: Deploy

    @property
    def services(self) -> tuple[Service, ...]:
        draft = self.seen.draft
        return tuple(draft.service(name) for name in draft.services)

    def will(self, *changes: Change) -> frozenset[str]:
        return frozenset(one.service for one in self.plan.services if one.change in changes)


Guard = Callable[[Case], Iterator[Objection]]


def objections(case: Case) -> tuple[Objection, ...]:
    """Ask every guard; refusals first."""
    found = [objection for guard in GUARDS for objection in guard(case)]
    return tuple(sorted(found, key=lambda objection: objection.is_warning))


def refuse(found: tuple[Objection, ...], *, verb: str) -> None:
    """Stop when any guard said no; all of them are told at once."""
    refusals = [objection for objection in found if not objection.is_warning]
    if refusals:
        fixes = dict.fromkeys(one.fix for one in refusals if one.fix)
        raise RefusedError(
            f"{verb} refused: {refusals[0].guard}; nothing was changed",
            why="; ".join(one.what for one in refusals),
            hint=" ".join(fixes),
        )


def experiment(case: Case) -> Iterator[Objection]:
    if case.seen.target.is_prod and case.seen.experiment:
        yield Objection(
            "experiment",
            f"experiments never reach production: {case.seen.experiment}",
            "Merge it into the trunk first, or use -e dev.",
        )


def checkout(case: Case) -> Iterator[Objection]:
    """Hold production to commits: what runs can be found again."""
    git = case.seen.git
    if not case.seen.target.is_prod or case.wish.kind == "rollback":
        return
    if git is None or git.head is None:
        yield Objection(
            "commit",
            "this is no git checkout with a commit: what runs cannot be found again",
            "git init && git add -A && git commit",
            is_warning=True,
        )
        return
    changed = (*git.dirty, *git.untracked)
    if changed:
        yield Objection(
            "uncommitted changes",
            f"{len(changed)} files differ from the commit: {_some(changed)}",
            "Commit or stash them, or lift this with --allow-dirty, which is recorded.",
            is_warning=case.wish.allow_dirty,
        )
    if not git.is_published:
        yield Objection(
            "unpublished commit",
            f"no remote branch holds {git.head[:12]}: only this machine knows it",
            "git push",
            is_warning=True,
        )


def database_ports(case: Case) -> Iterator[Objection]:
    """No database of production listens beyond loopback and the tailnet."""
    if not case.seen.target.is_prod:
        return
    for service in case.services:
        for port in service.ports:
            if not _is_database(service, port, case.rules):
                continue
            if not is_private(port.host_ip, case.seen.tailnet):
                where = port.host_ip or "every address"
                yield Objection(
                    "public database port",
                    f"{service.name} publishes {port.target} on {where}",
                    f'Take "ports" out of {service.name}, or bind it to 127.0.0.1.',
                )


def _is_database(service: Service, port: Port, rules: Deploy) -> bool:
    return port.target in rules.database_ports or keeps_data(service, rules)


def keeps_data(service: Service, rules: Deploy) -> bool:
    """Tell a database by the name of its image."""
    name = service.image.rpartition("/")[2].casefold()
    return any(word in name for word in rules.database_images)


def is_stateful(service: Service, rules: Deploy) -> bool:
    has_volume = any(volume.kind == "volume" and volume.source for volume in service.volumes)
    return has_volume and keeps_data(service, rules)


def is_private(address: str, tailnet: frozenset[str]) -> bool:
    """Loopback, or an address that this machine has in the tailnet, by more than its digits."""
    return is_loopback(address) or address in tailnet


def powers(case: Case) -> Iterator[Objection]:
    """Root on the host only for services that the settings name."""
    for service in case.services:
        name = service.name
        if _has_socket(service) and name not in case.rules.allow_docker_socket:
            yield Objection(
                "engine socket",
                f"{name} mounts the engine's socket, which is root on the host",
                f"Take it out, or add {name} to deploy.allow_docker_socket.",
            )
        if _is_privileged(service) and name not in case.rules.allow_privileged:
            yield Objection(
                "privileged service",
                f"{name} is privileged, or shares the host's processes or network",
                f"Take it out, or add {name} to deploy.allow_privileged.",
            )


def _has_socket(service: Service) -> bool:
    sources = (volume.source for volume in service.volumes if volume.kind == "bind")
    return any(str(PurePosixPath(source)) in SOCKETS or _is_socket(source) for source in sources)


def _is_socket(source: str) -> bool:
    return PurePosixPath(source).name in {"docker.sock", "containerd.sock", "podman.sock"}


def _is_privileged(service: Service) -> bool:
    shared = HOSTS_OWN in {service.network_mode, service.pid, service.ipc}
    return service.is_privileged or shared or "ALL" in {one.upper() for one in service.cap_add}


def ports_taken(case: Case) -> Iterator[Objection]:
    """A port that someone else holds would fail half-way."""
    project = case.seen.target.project
    for service in case.services:
        for port in service.ports:
            holder = _holder(case.seen, port, project)
            if holder:
                yield Objection(
                    "port taken",
                    f"{service.name} wants port {port.published}, which {holder} holds",
                    f"Stop it, or publish {service.name} elsewhere.",
                )


def _holder(seen: Seen, port: Port, project: str) -> str:
    if port.published is None or port.protocol != "tcp":
        return ""
    ours = False
    for one in seen.publishers:
        if one.port == port.published and _meets(one.address, port.host_ip):
            if one.project != project:
                return f"container {one.container}"
            ours = True
    if ours:
        return ""
    for listener in seen.listeners:
        if listener.port == port.published and _meets(listener.address, port.host_ip):
            return f"{listener.program or 'another program'} on {listener.address}"
    return ""


def _meets(one: str, other: str) -> bool:
    return one == other or one in EVERYWHERE or other in EVERYWHERE


def disk(case: Case) -> Iterator[Objection]:
    """Enough room for what will be fetched; and a word when the disk fills."""
    usage, rules = case.seen.disk, case.rules
    if usage is None:
        return
    fetched = [step for step in case.plan.steps if step.act in {Act.PULL, Act.BUILD}]
    services = [name for step in fetched for name in step.services]
    needed = sum(_size(case, name) for name in services) if services else 0
    reserve = rules.disk_reserve_mb * MIB
    if services and usage.free_bytes < needed + reserve:
        yield Objection(
            "disk space",
            f"{usage.mount} has {usage.free_bytes // MIB} MiB free; {', '.join(services)} may take"
            f" {needed // MIB} MiB, and {rules.disk_reserve_mb} MiB must stay free",
            f"opsctl prune -e {case.seen.target.env}",
        )
    elif usage.percent >= rules.disk_warn_percent:
        yield Objection(
            "disk space",
            f"{usage.mount} is {usage.percent:.0f} % full",
            f"opsctl prune -e {case.seen.target.env}",
            is_warning=True,
        )


def _size(case: Case, service: str) -> int:
    name = case.seen.draft.service(service).image
    return case.seen.image_sizes.get(name) or case.rules.image_estimate_mb * MIB


def stateful(case: Case) -> Iterator[Objection]:
    """A database is not stopped and made anew in passing."""
    for one in case.plan.services:
        if one.change in _DISTURBING and _holds_data(case, one.service):
            only_perhaps = one.change is Change.MAYBE
            yield Objection(
                "stateful service",
                f"{one.service} keeps data; {one.change}: {one.reason}{_major_change(case, one)}",
                "Make sure of a backup, then lift this with --allow-stateful.",
                is_warning=case.wish.allow_stateful or only_perhaps,
            )


_DISTURBING = frozenset({Change.RECREATE, Change.MAYBE, Change.REMOVE})


def _holds_data(case: Case, name: str) -> bool:
    service = case.seen.draft.rendered.services.get(name)
    if service is not None:
        return is_stateful(service, case.rules)
    # Gone from the file: its containers still say what they were.
    images = (one.container.image for one in case.seen.of(name))
    return any(keeps_data(Service(name, image=image), case.rules) for image in images)


def _major_change(case: Case, one: ServicePlan) -> str:
    wanted = case.seen.draft.images.get(one.service, "")
    for running in case.seen.of(one.service):
        old, new = major(running.container.image), major(wanted)
        if old and new and old != new:
            return f"; its major version goes from {old} to {new}, which its data may not survive"
    return ""


def major(image: str) -> str:
    """Read the major version from a tag: 17 of `2.19.3-pg17`, 8 of `8.0.2`."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    _, mark, server = tag.partition("pg")
    digits = (server if mark else tag).lstrip("v")
    found = digits.partition(".")[0].partition("-")[0]
    return found if found.isdigit() else ""


def relative_mounts(case: Case) -> Iterator[Objection]:
    """A path of this machine means nothing on another one."""
    if not case.seen.target.is_remote:
        return
    here = str(case.seen.target.directory)
    for service in case.services:
        for volume in service.volumes:
            if volume.kind == "bind" and _is_within(volume.source, here):
                yield Objection(
                    "bind mount on a remote engine",
                    f"{service.name} mounts {volume.source}, a path of this machine",
                    "Copy it into the image, or use a named volume.",
                )


def _is_within(path: str, directory: str) -> bool:
    return PurePosixPath(path).is_relative_to(directory)


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown  # noqa: PLR2004 - a few


GUARDS: tuple[Guard, ...] = (
    experiment,
    checkout,
    database_ports,
    powers,
    ports_taken,
    disk,
    stateful,
    relative_mounts,
)
