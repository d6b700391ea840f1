"""Rolls back to an earlier release: its own file and images, offline where they are kept."""

from collections.abc import Iterator
from dataclasses import replace

from opsctl.deploy.integrations import DeployIntegrations
from opsctl.deploy.model import (
    DeployIssue,
    DeployOptions,
    GeneratedProject,
    Observation,
    RecordedRelease,
    RestorePoint,
)
from opsctl.deploy.observe import Observer
from opsctl.deploy.planning.own_reading import find_changed_image
from opsctl.deploy.planning.plan import plan_rollback
from opsctl.deploy.releases.rebuild_image import BUILD_FROM_COMMIT, plan_image_fetches
from opsctl.deploy.releases.release_log import read_restore_point
from opsctl.deploy.releases.restore_files import warn_of_missing, with_stored_files
from opsctl.deploy.run import DeployRun
from opsctl.deploy.up import check_plan
from opsctl.errors import OpsctlError

# What ran before the first release is named after that release.
BEFORE_FIRST = "before-"


def prepare_rollback(
    observer: Observer, name: str | None, options: DeployOptions, integrations: DeployIntegrations
) -> DeployRun:
    """Plan a rollback to the named release, by default to the previous one."""
    current, unfinished = observer.release_log.current(), observer.release_log.unfinished()
    origin = choose_release(observer, name, current=current, unfinished=unfinished)
    generated = _read_release_file(observer, origin)
    generated, missing = with_stored_files(observer, generated, origin.id)
    observation = observer.observe_generated(generated, current=current, unfinished=unfinished)
    inventory = observer.context.inventory
    present = {s: inventory.image(image) is not None for s, image in origin.images.items()}
    observation = _with_restored_tags(observation, origin, present)
    changes = observer.find_changes(generated, current)
    observation = _ask_compose(observer, replace(observation, changes=changes), options)
    fetches = _plan_fetches(observer, observation, origin, present)
    plan = plan_rollback(
        replace(observation, current_release=origin),
        release=observer.release_log.new_id(),
        fetches=fetches,
        origin=origin.id,
        notifies=integrations.notifier is not None,
    )
    checked = check_plan(observer, observation, plan, options)
    more = (*_warn_of_configuration(origin), *warn_of_missing(missing, origin.id))
    checked = replace(checked, warnings=(*checked.warnings, *more))
    return DeployRun(observer, checked, observation, options, integrations, origin=origin)


def _plan_fetches(
    observer: Observer, observation: Observation, origin: RecordedRelease, present: dict[str, bool]
) -> dict[str, str]:
    fetches = plan_image_fetches(origin, observation.generated, present)
    if any(BUILD_FROM_COMMIT in how for how in fetches.values()) and observation.git:
        observer.context.sources.check(observation.git.top_level, origin.git_sha)
    return fetches


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


def _warn_of_configuration(origin: RecordedRelease) -> Iterator[DeployIssue]:
    if origin.id.startswith(BEFORE_FIRST) and not read_restore_point(origin).file:
        what = (
            "opsctl did not start what ran before the first release: its images are restored, with"
            " the configuration of the first release"
        )
        yield DeployIssue("unknown origin", what, is_warning=True)


def choose_release(
    observer: Observer,
    name: str | None,
    *,
    current: RecordedRelease | None,
    unfinished: RecordedRelease | None,
) -> RecordedRelease:
    if name is not None:
        return observer.release_log.find(name)
    if unfinished is not None and unfinished.kind == "rollback":
        # Asked again, a rollback goes where it was going.
        return _find_origin(observer, unfinished)
    if unfinished is not None and current is not None:
        # The unfinished deploy never became a release: the current one ran before it.
        return current
    previous = observer.release_log.previous(current)
    if previous:
        return previous[0]
    first = current or unfinished
    restore_point = read_restore_point(first) if first else RestorePoint()
    if first is not None and not restore_point.is_empty and first.kind == "up":
        return _release_before_first(first, restore_point)
    env = observer.context.target.env
    raise OpsctlError(
        f"cannot roll back {env}: there is no release to go back to",
        why=_explain_no_previous(current),
        hint=f"`opsctl history -e {env}` lists the releases; `opsctl up -e {env}` deploys the"
        f" checkout, `opsctl down -e {env}` stops the environment.",
    )


def _find_origin(observer: Observer, unfinished: RecordedRelease) -> RecordedRelease:
    """Find where an unfinished rollback was going: a release, or what ran before the first one."""
    name = unfinished.origin
    if not name.startswith(BEFORE_FIRST):
        return observer.release_log.find(name)
    first = observer.release_log.find(name.removeprefix(BEFORE_FIRST))
    return _release_before_first(first, read_restore_point(first))


def _explain_no_previous(current: RecordedRelease | None) -> str:
    if current is None:
        return "no release has succeeded"
    return f"no successful release before {current.origin or current.id} differs from what runs"


def _release_before_first(current: RecordedRelease, restore_point: RestorePoint) -> RecordedRelease:
    """Treat what ran before the first release as one: only its images are known."""
    names = {image: name for name, image in restore_point.image_names.items()}
    images = restore_point.images
    return replace(
        current,
        id=f"{BEFORE_FIRST}{current.id}",
        images=images,
        image_names={service: names.get(image, image) for service, image in images.items()},
        image_digests={},
        image_manifests=restore_point.manifests,
        image_contents={},
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
    ids, manifests = dict(observation.image_ids), dict(observation.image_manifests)
    for service, image in origin.images.items():
        name = origin.image_names.get(service)
        if name in ids:
            ids[name] = image if present[service] else None
            manifest = origin.image_manifests.get(service)
            manifests[name] = (manifest,) if manifest else ()
    return replace(observation, image_ids=ids, image_manifests=manifests)
