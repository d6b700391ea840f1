"""What is recorded of a release: enough to find it, to compare it, and to restore it."""

from collections.abc import Mapping
from typing import Any

from opsctl.deploy.model import GeneratedProject
from opsctl.deploy.planning.fetches import find_builder
from opsctl.deploy.releases.release_log import restore_point_details
from opsctl.deploy.run import DeployRun
from opsctl.deploy.verify.service_health import is_one_shot
from opsctl.systems.engine.inventory import InventoryImage, split_reference

RECORDED_LINES = 5


def release_details(run: DeployRun, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Collect what is needed to find a release and to restore it."""
    generated, origin, current = run.generated, run.origin, run.observation.current_release
    return {
        "kind": run.options.kind,
        "origin": (origin.origin or origin.id) if origin else "",
        "images": find_image_ids(run),
        "image_names": {name: generated.images[name] for name in generated.services},
        "image_digests": find_digests(run.generated, run.images),
        "image_manifests": _find_manifests(run),
        "image_contents": {name: image.fingerprint for name, image in run.images.items()},
        "config_hashes": dict(generated.config_hashes),
        "completed": _find_completed(run),
        "file": str(run.file),
        "file_labels": dict(generated.file_labels),
        "file_digest": generated.digest,
        "services": list(generated.services),
        "is_dirty": _is_dirty(run),
        "schema": run.schema or (current.schema if current else ""),
        "duration_s": round(run.observer.context.clock.steady() - run.started_s, 3),
        "freed_bytes": run.freed_bytes,
        "restore_point": restore_point_details(run.restore_point),
        "output": run.output[-RECORDED_LINES:] if more else [],
        **more,
    }


def _is_dirty(run: DeployRun) -> bool:
    git = run.observation.git
    if run.origin is not None:
        return run.origin.is_dirty
    return bool(git and (git.dirty or git.untracked))


def find_image_ids(run: DeployRun) -> dict[str, str]:
    """Map each service to its image id; what runs counts more than what was observed before."""
    images, ids = run.generated.images, run.observation.image_ids
    observed = {name: image for name in images if (image := ids.get(images[name])) is not None}
    others = {
        found.service: found.container.image_id
        for found in run.containers
        if found.service not in images
        or not run.observation.runs_image(found.container, images[found.service])
    }
    return {**observed, **others}


def read_images(run: DeployRun) -> dict[str, InventoryImage]:
    """Read the image of each service from the engine."""
    inventory = run.observer.context.inventory
    images = {service: inventory.image(image) for service, image in find_image_ids(run).items()}
    return {service: image for service, image in images.items() if image is not None}


def _find_manifests(run: DeployRun) -> dict[str, str]:
    known = {name: image.manifests[0] for name, image in run.images.items() if image.manifests}
    running = {found.service: found.container.image_manifest for found in run.containers}
    return {**known, **{name: manifest for name, manifest in running.items() if manifest}}


def find_digests(
    generated: GeneratedProject, images: Mapping[str, InventoryImage]
) -> dict[str, str]:
    """Map each service to what a registry calls its image; no registry knows what is built here."""
    return {
        service: digest
        for service, image in images.items()
        if find_builder(generated, name := generated.images.get(service, "")) is None
        and (digest := _choose_digest(image, name))
    }


def _choose_digest(image: InventoryImage, name: str) -> str:
    """Prefer the digest in the repository that the project names."""
    repository = _familiar(split_reference(name.partition("@")[0])[0])
    same = (digest for digest in image.digests if split_reference(digest)[0] == repository)
    return next(same, next(iter(image.digests), ""))


def _familiar(repository: str) -> str:
    """Shorten a repository as the engine does."""
    for prefix in ("docker.io/", "index.docker.io/"):
        repository = repository.removeprefix(prefix)
    return repository.removeprefix("library/")


def _find_completed(run: DeployRun) -> list[str]:
    completed = {
        found.service
        for found in run.containers
        if found.container.state == "exited"
        and found.service in run.generated.rendered.services
        and is_one_shot(run.generated.service(found.service))
    }
    return sorted(completed | run.completed_before)
