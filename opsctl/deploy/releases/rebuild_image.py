"""Fetches the missing images of an earlier release: by digest, or rebuilt from its commit."""

import json
from collections.abc import Mapping
from pathlib import Path

from opsctl.deploy.model import DeployStep, GeneratedProject, RecordedRelease
from opsctl.deploy.planning.fetches import find_builder
from opsctl.deploy.run import DeployRun
from opsctl.errors import OpsctlError
from opsctl.systems.engine.inventory import InventoryImage

SHOWN_LINES = 5
BUILD_FROM_COMMIT = "build it from commit"


def plan_image_fetches(
    release: RecordedRelease, generated: GeneratedProject, present: Mapping[str, bool]
) -> dict[str, str]:
    """Describe for each service whose image is missing how to get it again."""
    known = generated.rendered.services
    missing = (name for name in release.images if not present[name] and name in known)
    return {name: _describe_fetch(release, name, generated) for name in missing}


def _describe_fetch(release: RecordedRelease, name: str, generated: GeneratedProject) -> str:
    image = release.image_names.get(name, name)
    is_built = find_builder(generated, image) is not None
    if is_built and release.git_sha and not release.is_dirty:
        return f"its image is gone: {BUILD_FROM_COMMIT} {release.git_sha[:12]}"
    if is_built:
        raise OpsctlError(
            f"cannot restore {name} of {release.id}",
            why="its image is gone, and it was built from files that were never committed",
            hint="Check out what you want to run, and deploy that: opsctl up",
        )
    # A registry is asked by digest: a name may mean another image today.
    return f"its image is gone: pull {release.image_digests.get(name, image)}"


def fetch_images(run: DeployRun, step: DeployStep) -> None:
    release = run.origin
    if release is None:
        return
    for name in step.services:
        image = release.image_names[name]
        builder = find_builder(run.generated, image)
        if builder is not None:
            _rebuild(run, release, image, builder)
        elif name in release.image_digests:
            _pull_digest(run, release, name)
        else:
            _pull_name(run, release, name)


def _pull_digest(run: DeployRun, release: RecordedRelease, name: str) -> None:
    inventory, digest = run.observer.context.inventory, release.image_digests[name]
    inventory.pull(digest)
    inventory.tag(digest, release.image_names[name])


def _pull_name(run: DeployRun, release: RecordedRelease, name: str) -> None:
    """Pull what the name means today; refuse it unless it is the image that was recorded."""
    inventory, reference = run.observer.context.inventory, release.image_names[name]
    inventory.pull(reference)
    image = inventory.image(reference)
    if image is None or not is_recorded_image(release, name, image):
        raise OpsctlError(
            f"cannot restore {name} of {release.id}",
            why=f"its image is gone, and {reference} is another image today",
            hint="Name the image by digest in the compose file, and deploy: opsctl up",
        )


def is_recorded_image(release: RecordedRelease, name: str, image: InventoryImage) -> bool:
    """Compare by id, and by content: another kind of image store counts other ids."""
    if image.id == release.images[name] or release.image_manifests.get(name) in image.manifests:
        return True
    return bool(image.fingerprint) and image.fingerprint == release.image_contents.get(name)


def _rebuild(run: DeployRun, release: RecordedRelease, image: str, builder: str) -> None:
    """Build once per image: several services may use it."""
    if image in run.rebuilt:
        return
    context, git = run.observer.context, run.observation.git
    if git is None:
        raise OpsctlError(f"cannot rebuild {builder}", why="this is not a git checkout")
    with context.sources.at(git.top_level, release.git_sha) as checkout:
        text = _replace_build_contexts(run.generated.text, git.top_level, checkout)
        file = run.file.with_name(f"rebuild-{context.target.env}.json")
        context.files.write_text(file, text)
        project = context.target.compose_project(file, secrets=run.secrets)
        try:
            finished = context.compose.build(project, run.take_line, services=(builder,))
        finally:
            context.files.remove(file)
    if finished.exit_code:
        raise OpsctlError(f"cannot rebuild {builder}", why=" | ".join(run.output[-SHOWN_LINES:]))
    run.rebuilt.add(image)


def _replace_build_contexts(text: str, top_level: Path, checkout: Path) -> str:
    """Point every build at the other checkout."""
    raw = json.loads(text)
    for service in raw["services"].values():
        build = service.get("build")
        if isinstance(build, dict) and Path(str(build.get("context"))).is_relative_to(top_level):
            build["context"] = str(checkout / Path(build["context"]).relative_to(top_level))
    return json.dumps(raw)
