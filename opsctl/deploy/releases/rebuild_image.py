"""Gets back the image of an earlier release: pulled by digest, or built again from its commit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.deploy.model import Recorded, Step
from opsctl.errors import OpsctlError

if TYPE_CHECKING:
    from opsctl.deploy.run import Run


def ways(release: Recorded, text: str, there: Mapping[str, bool]) -> dict[str, str]:
    """Say for each image that is not there how it can be had again."""
    services = json.loads(text)["services"]
    missing = (name for name in release.images if not there[name] and name in services)
    return {name: _way(release, name, services[name]) for name in missing}


def _way(release: Recorded, name: str, service: Mapping[str, object]) -> str:
    if name in release.digests:
        return f"its image is gone: pull {release.digests[name]}"
    if service.get("build") and release.git_sha and not release.is_dirty:
        return f"its image is gone: build it from commit {release.git_sha[:12]}"
    if service.get("build"):
        raise OpsctlError(
            f"{name} of {release.id} cannot be brought back",
            why="its image is gone, and it was built from files that were never committed",
            hint="Check out what you want to run, and deploy that: opsctl up",
        )
    return f"its image is gone: pull {release.names.get(name, name)}"


def fetch(run: "Run", step: Step) -> None:
    release = run.origin
    if release is None:
        return
    for name in step.services:
        if name in release.digests:
            _pull(run, release, name)
        elif run.draft.service(name).build is not None:
            _build(run, release, name)
        else:
            run.observer.site.stock.pull(release.names[name])


def _pull(run: "Run", release: Recorded, name: str) -> None:
    stock = run.observer.site.stock
    stock.pull(release.digests[name])
    stock.tag(release.digests[name], release.names[name])


def _build(run: "Run", release: Recorded, name: str) -> None:
    site = run.observer.site
    git = run.seen.git
    if git is None:
        raise OpsctlError(f"{name} cannot be built again", why="this is no git checkout")
    with site.sources.at(git.top_level, release.git_sha) as place:
        moved = _moved(run.draft.text, git.top_level, place)
        file = run.file.with_name(f"rebuild-{site.target.env}.json")
        site.files.write_text(file, moved)
        project = site.target.compose_project(file, secrets=run.draft.rendered.secrets)
        done = site.compose.build(project, run.hear, services=(name,))
        site.files.remove(file)
    if done.exit_code:
        raise OpsctlError(f"could not build {name} again", why=" | ".join(run.said[-5:]))


def _moved(text: str, top: Path, place: Path) -> str:
    """Point every build into the other checkout."""
    raw = json.loads(text)
    for service in raw["services"].values():
        build = service.get("build")
        if isinstance(build, dict) and Path(str(build.get("context"))).is_relative_to(top):
            build["context"] = str(place / Path(build["context"]).relative_to(top))
    return json.dumps(raw)
