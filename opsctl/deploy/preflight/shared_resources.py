"""Volumes, networks and container names that belong to somebody else, or do not exist."""

from collections.abc import Iterator, Mapping
from itertools import chain

from opsctl.deploy.model import DeployIssue
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.systems.engine.compose_labels import PROJECT_LABEL
from opsctl.systems.engine.compose_resources import DeclaredResource

Labels = Mapping[str, str]


def check_shared_resources(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Keep environments apart: what they share on purpose is declared `external: true`."""
    rendered, engine = facts.observation.generated.rendered, facts.observation.resources
    volumes = {m.source for s in facts.services for m in s.volumes if m.kind == "volume"}
    networks = set(chain.from_iterable(service.networks for service in facts.services))
    groups = (
        ("volume", rendered.declared_volumes, volumes, engine.volumes),
        ("network", rendered.declared_networks, networks, engine.networks),
    )
    for kind, declared, used, known in groups:
        for resource in declared:
            if resource.key in used:
                yield from _check_resource(facts, kind, resource, known)


def _check_resource(
    facts: PreflightInput,
    kind: str,
    resource: DeclaredResource,
    known: Mapping[str, Labels | None],
) -> Iterator[DeployIssue]:
    if resource.name not in known:
        return
    labels, project = known[resource.name], facts.observation.target.project
    if resource.is_external:
        if labels is None:
            yield DeployIssue(
                f"missing {kind}",
                f"the external {kind} {resource.name} does not exist",
                f"docker {kind} create {resource.name}",
            )
        return
    owner = project if labels is None else labels.get(PROJECT_LABEL, "")
    if owner == project or facts.options.kind == "rollback":
        return
    whose = f"belongs to project {owner}" if owner else "was not created by compose"
    yield DeployIssue(
        f"shared {kind}",
        f"{kind} {resource.name} {whose}, and {project} would use it as well",
        f'Remove "name" from {kind} {resource.key}, and each environment has its own;'
        " to share it on purpose, declare it with external: true.",
        # Compose uses such a volume, and fails on such a network.
        is_warning=not owner and kind == "volume",
    )


def check_container_names(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Find fixed container names that are in use: compose would fail after the builds."""
    project = facts.observation.target.project
    for service in facts.services:
        labels = facts.observation.resources.containers.get(service.container_name)
        if not service.container_name or labels is None:
            continue
        owner = labels.get(PROJECT_LABEL, "")
        if owner != project:
            whose = f"of project {owner}" if owner else "that compose did not create"
            yield DeployIssue(
                "container name in use",
                f"{service.name} wants the name {service.container_name},"
                f" which a container {whose} has",
                f'Remove "container_name" from {service.name}; other services reach it by its name'
                f" {service.name} without it.",
            )


def names_to_look_up(declared: tuple[DeclaredResource, ...], project: str) -> tuple[str, ...]:
    """Name what has to be asked about: nobody else has a name that compose made for the project."""
    asked = (one for one in declared if one.is_external or one.has_fixed_name(project))
    return tuple(dict.fromkeys(one.name for one in asked))
