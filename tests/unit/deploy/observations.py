"""Builders for the inputs of pure decisions: a project, its containers, its recorded releases."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opsctl.deploy.compose_file import generate_project
from opsctl.deploy.model import (
    DeployIssue,
    DeployOptions,
    DeployTarget,
    GeneratedProject,
    Observation,
    RecordedRelease,
    ServiceContainer,
)
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.deploy.preflight.databases import is_stateful
from opsctl.deploy.preflight.model import PreflightCheck, PreflightInput
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_model import read_rendered
from opsctl.systems.engine.model import Container
from opsctl.systems.git.repository import GitFacts, Ref, RefKind

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = "a" * 40
PUBLISHED = Ref(RefKind.REMOTE, "main", "origin")


def make_target(env: str = "dev", **more: Any) -> DeployTarget:
    app_env = "production" if env == "prod" else "development"
    base = DeployTarget(
        env, app_env, f"shop-{env}", Path("/srv/shop"), (Path("c.yml"),), "unix:///e", "unix:///e"
    )
    return replace(base, **more)


def make_generated(
    services: Mapping[str, Any],
    *,
    profiles: Sequence[str] = (),
    networks: Mapping[str, Any] | None = None,
) -> GeneratedProject:
    project = {"name": "shop-dev", "services": services, "networks": networks or {}}
    rendered = read_rendered(json.dumps(project))
    generated = generate_project(rendered, app_env="development", profiles=profiles)
    hashes = {name: f"hash of {name}" for name in generated.services}
    return replace(generated, config_hashes=hashes)


def make_container(service: str, **more: Any) -> Container:
    base = Container(
        id=f"id of {service}",
        name=f"shop-dev-{service}-1",
        image_id=f"sha256:{service}",
        image=f"{service}:1",
        state="running",
        started_at=NOW - timedelta(hours=1),
    )
    return replace(base, **more)


def make_service_container(service: str, *, config_hash: str = "", **more: Any) -> ServiceContainer:
    container = make_container(service, **more)
    return ServiceContainer(service, container, config_hash or f"hash of {service}")


def make_git(**more: Any) -> GitFacts:
    base = GitFacts(Path("/srv/shop"), HEAD, "Serve", "main", containing=(PUBLISHED,))
    return replace(base, **more)


def make_release(name: str = "dev-20260101-000000", **more: Any) -> RecordedRelease:
    base = RecordedRelease(name, "dev", "done", NOW, NOW, HEAD, "Serve", "me@here")
    return replace(base, **more)


def make_observation(
    services: Mapping[str, Any],
    *containers: ServiceContainer,
    env: str = "dev",
    networks: Mapping[str, Any] | None = None,
    **more: Any,
) -> Observation:
    generated = make_generated(services, networks=networks)
    ids = {found.container.image: found.container.image_id for found in containers}
    base = Observation(
        target=make_target(env),
        generated=generated,
        containers=containers,
        image_ids={image: ids.get(image) for image in generated.images.values()},
        git=make_git(),
        current_release=make_release() if containers else None,
        stateful_services=frozenset(
            name for name in generated.services if is_stateful(generated.service(name), Deploy())
        ),
    )
    return replace(base, **more)


def make_preflight_input(
    observation: Observation,
    options: DeployOptions | None = None,
    settings: Deploy | None = None,
) -> PreflightInput:
    options = options or DeployOptions()
    plan = plan_deploy(observation, options, release="r", prunes=False)
    return PreflightInput(observation, plan, options, settings or Deploy())


def run_check(
    check: PreflightCheck,
    observation: Observation,
    options: DeployOptions | None = None,
    **settings: Any,
) -> list[tuple[str, bool]]:
    """Run one check; return the name of each issue, and whether it is only a warning."""
    return summarize(check(make_preflight_input(observation, options, Deploy(**settings))))


def summarize(issues: Iterable[DeployIssue]) -> list[tuple[str, bool]]:
    return [(issue.check, issue.is_warning) for issue in issues]
