"""Fetches the missing images of an earlier release: by digest, or rebuilt from its commit."""

import json
from collections.abc import Mapping
from pathlib import Path

from opsctl.deploy.model import DeployStep, RecordedRelease
from opsctl.deploy.run import DeployRun
from opsctl.errors import OpsctlError

SHOWN_LINES = 5


def plan_image_fetches(
    release: RecordedRelease, text: str, present: Mapping[str, bool]
) -> dict[str, str]:
    """Describe for each service whose image is missing how to get it again."""
    services = json.loads(text)["services"]
    missing = (name for name in release.images if not present[name] and name in services)
    return {name: _describe_fetch(release, name, services[name]) for name in missing}


def _describe_fetch(release: RecordedRelease, name: str, service: Mapping[str, object]) -> str:
    if name in release.image_digests:
        return f"its image is gone: pull {release.image_digests[name]}"
    if service.get("build") and release.git_sha and not release.is_dirty:
        return f"its image is gone: build it from commit {release.git_sha[:12]}"
    if service.get("build"):
        raise OpsctlError(
            f"cannot restore {name} of {release.id}",
            why="its image is gone, and it was built from files that were never committed",
            hint="Check out what you want to run, and deploy that: opsctl up",
        )
    return f"its image is gone: pull {release.image_names.get(name, name)}"


def fetch_images(run: DeployRun, step: DeployStep) -> None:
    release = run.origin
    if release is None:
        return
    for name in step.services:
        if name in release.image_digests:
            _pull_digest(run, release, name)
        elif run.generated.service(name).build is not None:
            _rebuild(run, release, name)
        else:
            run.observer.context.inventory.pull(release.image_names[name])


def _pull_digest(run: DeployRun, release: RecordedRelease, name: str) -> None:
    inventory, digest = run.observer.context.inventory, release.image_digests[name]
    inventory.pull(digest)
    inventory.tag(digest, release.image_names[name])


def _rebuild(run: DeployRun, release: RecordedRelease, name: str) -> None:
    context, git = run.observer.context, run.observation.git
    if git is None:
        raise OpsctlError(f"cannot rebuild {name}", why="this is not a git checkout")
    with context.sources.at(git.top_level, release.git_sha) as checkout:
        text = _replace_build_contexts(run.generated.text, git.top_level, checkout)
        file = run.file.with_name(f"rebuild-{context.target.env}.json")
        context.files.write_text(file, text)
        secrets = run.generated.rendered.secrets
        project = context.target.compose_project(file, secrets=secrets)
        finished = context.compose.build(project, run.take_line, services=(name,))
        context.files.remove(file)
    if finished.exit_code:
        raise OpsctlError(f"cannot rebuild {name}", why=" | ".join(run.output[-SHOWN_LINES:]))


def _replace_build_contexts(text: str, top_level: Path, checkout: Path) -> str:
    """Point every build at the other checkout."""
    raw = json.loads(text)
    for service in raw["services"].values():
        build = service.get("build")
        if isinstance(build, dict) and Path(str(build.get("context"))).is_relative_to(top_level):
            build["context"] = str(checkout / Path(build["context"]).relative_to(top_level))
    return json.dumps(raw)
