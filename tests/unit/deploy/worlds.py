"""Small worlds for pure decisions: a project, what runs of it, and what was recorded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opsctl.deploy.compose_file import draft
from opsctl.deploy.guards import Case, is_stateful
from opsctl.deploy.model import Draft, Objection, Recorded, Running, Seen, Target, Wish
from opsctl.deploy.plan import plan
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_model import read_rendered
from opsctl.systems.engine.model import Container
from opsctl.systems.git.repository import GitFacts, Ref, RefKind

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = "a" * 40
PUBLISHED = Ref(RefKind.REMOTE, "main", "origin")


def target(env: str = "dev", **more: Any) -> Target:
    app_env = "production" if env == "prod" else "development"
    base = Target(
        env, app_env, f"shop-{env}", Path("/srv/shop"), (Path("c.yml"),), "unix:///e", "unix:///e"
    )
    return replace(base, **more)


def drafted(services: Mapping[str, Any], *, profiles: Sequence[str] = ()) -> Draft:
    raw = {"name": "shop-dev", "services": services}
    made = draft(read_rendered(json.dumps(raw)), app_env="development", profiles=profiles)
    return replace(made, hashes={name: f"hash of {name}" for name in made.services})


def container(service: str, **more: Any) -> Container:
    base = Container(
        id=f"id of {service}",
        name=f"shop-dev-{service}-1",
        image_id=f"sha256:{service}",
        image=f"{service}:1",
        state="running",
        started_at=NOW - timedelta(hours=1),
    )
    return replace(base, **more)


def running(service: str, *, config_hash: str = "", **more: Any) -> Running:
    return Running(service, container(service, **more), config_hash or f"hash of {service}")


def git(**more: Any) -> GitFacts:
    base = GitFacts(Path("/srv/shop"), HEAD, "Serve", "main", containing=(PUBLISHED,))
    return replace(base, **more)


def release(name: str = "dev-20260101-000000", **more: Any) -> Recorded:
    base = Recorded(name, "dev", "done", NOW, NOW, HEAD, "Serve", "me@here")
    return replace(base, **more)


def seen(services: Mapping[str, Any], *runs: Running, env: str = "dev", **more: Any) -> Seen:
    made = drafted(services)
    names = {one.container.image: one.container.image_id for one in runs}
    base = Seen(
        target=target(env),
        draft=made,
        running=runs,
        image_ids={image: names.get(image) for image in made.images.values()},
        git=git(),
        live=release() if runs else None,
        stateful=frozenset(n for n in made.services if is_stateful(made.service(n), Deploy())),
    )
    return replace(base, **more)


def case(world: Seen, wish: Wish | None = None, rules: Deploy | None = None) -> Case:
    wish = wish or Wish()
    planned = plan(world, wish, release="r", prunes=False)
    return Case(world, planned, wish, rules or Deploy())


def told(found: Sequence[Objection]) -> list[tuple[str, bool]]:
    return [(one.guard, one.is_warning) for one in found]
