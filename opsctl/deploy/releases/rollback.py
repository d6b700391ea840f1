"""Rolls back to an earlier release: its own file and images, offline where they are kept."""

from dataclasses import replace

from opsctl.deploy.integrations import DeployIntegrations
from opsctl.deploy.model import (
    DeployOptions,
    GeneratedProject,
    Observation,
    RecordedRelease,
    RestorePoint,
)
from opsctl.deploy.observe import Observer
from opsctl.deploy.planning.own_reading import find_changed_image
from opsctl.deploy.planning.plan import plan_rollback
from opsctl.deploy.releases.rebuild_image import plan_image_fetches
from opsctl.deploy.releases.release_log import read_restore_point
from opsctl.deploy.run import DeployRun
from opsctl.deploy.up import check_plan
from opsctl.errors import OpsctlError


def prepare_rollback(
    observer: Observer, name: str | None, options: DeployOptions, integrations: DeployIntegrations
) -> DeployRun:
    """Plan a rollback to the named release, by default to the previous one."""
    current, unfinished = observer.release_log.current(), observer.release_log.unfinished()
    origin = choose_release(observer, name, current=current, unfinished=unfinished)
    generated = _read_release_file(observer, origin)
    observation = observer.observe_generated(generated, current=current, unfinished=unfinished)
    inventory = observer.context.inventory
    present = {s: inventory.image(image) is not None for s, image in origin.images.items()}
    observation = _with_restored_tags(observation, origin, present)
    observation = _ask_compose(observer, observation, options)
    plan = plan_rollback(
        replace(observation, current_release=origin),
        release=observer.release_log.new_id(),
        fetches=plan_image_fetches(origin, generated.text, present),
        origin=origin.id,
        notifies=integrations.notifier is not None,
    )
    checked = check_plan(observer, observation, plan, options)
    return DeployRun(observer, checked, observation, options, integrations, origin=origin)


def _ask_compose(
    observer: Observer, observation: Observation, options: DeployOptions
) -> Observation:
    """Ask with the images that the names will have once the tags are restored."""
    changed = {
        name for name in observation.generated.services if find_changed_image(observation, name)
    }
    containers, generated = observation.containers, observation.generated
    asked = observer.ask_compose(generated, containers, options, changed=changed)
    return replace(observation, compose=asked)


def choose_release(
    observer: Observer,
    name: str | None,
    *,
    current: RecordedRelease | None,
    unfinished: RecordedRelease | None,
) -> RecordedRelease:
    if name is not None:
        return observer.release_log.find(name)
    if unfinished is not None and current is not None:
        # The unfinished deploy never became a release: the current one ran before it.
        return current
    previous = observer.release_log.previous(current)
    if previous:
        return previous[0]
    restore_point = read_restore_point(current) if current else RestorePoint()
    if current is not None and not restore_point.is_empty and current.kind == "up":
        return _release_before_first(current, restore_point)
    env = observer.context.target.env
    raise OpsctlError(
        f"cannot roll back {env}: there is no release to go back to",
        why=f"the release log has {'one successful release' if current else 'no successful one'}",
        hint=f"`opsctl history -e {env}` lists the releases; `opsctl up -e {env}` deploys the"
        f" checkout, `opsctl down -e {env}` stops the environment.",
    )


def _release_before_first(current: RecordedRelease, restore_point: RestorePoint) -> RecordedRelease:
    """Treat what ran before the first release as one: only its images are known."""
    names = {image: name for name, image in restore_point.image_names.items()}
    images = restore_point.images
    return replace(
        current,
        id=f"before-{current.id}",
        images=images,
        image_names={service: names.get(image, image) for service, image in images.items()},
        image_digests={},
        file=restore_point.file or current.file,
        services=tuple(images) if restore_point.file else current.services,
    )


def _read_release_file(observer: Observer, origin: RecordedRelease) -> GeneratedProject:
    generated = observer.read_release_file(origin)
    if generated is None:
        commit = origin.git_sha[:12] or "what you want"
        raise OpsctlError(
            f"cannot restore release {origin.id}",
            why=f"the file that it ran from is gone: {origin.file or 'none was kept'}",
            hint=f"Check out {commit}, and deploy: opsctl up",
        )
    return generated


def _with_restored_tags(
    observation: Observation, origin: RecordedRelease, present: dict[str, bool]
) -> Observation:
    """Plan with the image ids that the names will have once the tags are restored."""
    ids = dict(observation.image_ids)
    for service, image in origin.images.items():
        name = origin.image_names.get(service)
        if name in ids:
            ids[name] = image if present[service] else None
    return replace(observation, image_ids=ids)
