"""Runs each kind of step; nothing is decided here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from opsctl.deploy.compose_up import compose_up
from opsctl.deploy.failure_reason import find_reason
from opsctl.deploy.hooks import run_hook
from opsctl.deploy.model import (
    DeployIssue,
    DeployStep,
    RestorePoint,
    ServiceChange,
    ServiceContainer,
    StepKind,
)
from opsctl.deploy.planning.allowed_calls import allow_plan
from opsctl.deploy.planning.ask_compose import up_options
from opsctl.deploy.planning.fetches import find_builder, names_for_up
from opsctl.deploy.planning.force_recreate import find_forced
from opsctl.deploy.planning.plan_again import plan_again
from opsctl.deploy.preflight.checks import find_issues, refuse_on_issues
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.deploy.preflight.stateful_services import STATEFUL_SERVICE
from opsctl.deploy.prune.prune import prune_engine
from opsctl.deploy.releases import release_log as outcomes
from opsctl.deploy.releases.image_tags import (
    drop_kept_tags,
    keep_images,
    keep_nameless,
    restore_tags,
)
from opsctl.deploy.releases.rebuild_image import fetch_images
from opsctl.deploy.releases.release_details import find_image_ids, read_images, release_details
from opsctl.deploy.releases.release_log import read_restore_point, restore_point_details
from opsctl.deploy.run import DeployRun
from opsctl.deploy.verify.compare_with_plan import find_deviations
from opsctl.deploy.verify.data_checks import wait_for_data
from opsctl.deploy.verify.expectations import expect_services, find_warnings, is_unhealthy
from opsctl.deploy.verify.wait_until_healthy import (
    check_images_and_environment,
    wait_until_healthy,
)
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose import UpOptions
from opsctl.systems.process.run import Finished

# More releases than anyone goes back.
KEPT_RELEASE_FILES = 50


def preflight(_: DeployRun, __: DeployStep) -> None:
    """Already done before the first step: a refusal must not record a release."""


def lock(_: DeployRun, __: DeployStep) -> None:
    """Already held by the caller, from before the observation until the end."""


def snapshot(run: DeployRun, _: DeployStep) -> None:
    context, restore_point = run.observer.context, restore_point_details(run.restore_point)
    context.files.make_private_dir(run.file.parent)
    context.files.write_text(run.file, run.generated.text)
    run.observer.file_store.save(run.plan.release, run.generated.mounted)
    run.release_log.note(
        run.plan.release, StepKind.SNAPSHOT, "restore point", restore_point=restore_point
    )
    _keep_what_runs(run)


def _keep_what_runs(run: DeployRun) -> None:
    """Tag each image whose name a later step may give to another image."""
    taken = {step.what for step in run.plan.steps if step.kind in {StepKind.BUILD, StepKind.PULL}}
    taken |= set(run.origin.image_names.values()) if run.origin else set()
    before = run.restore_point.image_names.items()
    keep_images(run.observer, {image: name for name, image in before if name in taken})


def remove(run: DeployRun, step: DeployStep) -> None:
    run.observer.context.containers.remove(step.what, force=True)


def build(run: DeployRun, step: DeployStep) -> None:
    compose = run.observer.context.compose
    builder = find_builder(run.generated, step.what)
    services = (builder,) if builder else step.services
    finished = compose.build(run.project, run.take_line, services=services)
    _require_success(run, finished, f"cannot build {step.what}")


def pull(run: DeployRun, step: DeployStep) -> None:
    compose = run.observer.context.compose
    finished = compose.pull(run.project, run.take_line, services=step.services[:1])
    _require_success(run, finished, f"cannot pull {step.what}")


def tag(run: DeployRun, _: DeployStep) -> None:
    """Tag the images as they were tagged in the release that is restored."""
    if run.origin is None:
        return
    names, images = run.origin.image_names, run.origin.images
    restore_tags(run.observer, {names[s]: image for s, image in images.items() if s in names})


def start(run: DeployRun, step: DeployStep) -> None:
    _begin_changes(run)
    _compose_up(run, step.services, remove_orphans=False)
    _verify_services(run, step.services)


def migrate(run: DeployRun, _: DeployStep) -> None:
    if run.integrations.migrator is not None:
        run.schema = run.integrations.migrator.apply()


def up(run: DeployRun, _: DeployStep) -> None:
    """Ask compose again what it will do, let the guards judge that, and do it."""
    run.observation, run.plan = plan_again(run.observer, run.observation, run.plan, run.options)
    _check_stateful_services(run)
    _begin_changes(run)
    _unpause(run)
    if forced := tuple(find_forced(run.observation, run.options)):
        # First and alone: compose cannot start a paused container, but it can replace one.
        how = up_options(forced, remove_orphans=False, limit_s=run.wait_timeout_s)
        _run_compose_up(run, replace(how, force_recreate=True, with_dependencies=False))
    profiles = run.observation.target.profiles
    names = names_for_up(run.generated, run.options, profiles)
    _compose_up(run, names, remove_orphans=run.plan.remove_orphans)
    _remove_inactive(run)


def _begin_changes(run: DeployRun) -> None:
    """Close a release that was cut off only now: until here, going back means its restore point."""
    run.has_changed_containers = True
    run.release_log.abandon_unfinished(successor=run.plan.release)


def _unpause(run: DeployRun) -> None:
    """Unpause what the plan starts: compose cannot."""
    starts = {plan.service for plan in run.plan.services if plan.change is ServiceChange.START}
    for found in run.observer.service_containers():
        if found.service in starts and found.container.state == "paused":
            run.observer.context.containers.unpause(found.container.id)


def _check_stateful_services(run: DeployRun) -> None:
    """A build may have changed the image of a database, and others may follow it."""
    settings = run.observer.context.settings.deploy
    issues = find_issues(PreflightInput(run.observation, run.plan, run.options, settings))
    stateful = tuple(issue for issue in issues if issue.check == STATEFUL_SERVICE)
    refuse_on_issues(stateful, command="up")


def _remove_inactive(run: DeployRun) -> None:
    """Remove what compose leaves: containers of a profile that is not active any more."""
    removed = {plan.service for plan in run.plan.services if plan.change is ServiceChange.REMOVE}
    known = removed & set(run.generated.rendered.services)
    present = {found.service for found in run.observer.service_containers()} if known else set()
    if names := tuple(sorted(known & present)):
        compose = run.observer.context.compose
        finished = compose.remove(run.project, run.take_line, services=names)
        _require_success(run, finished, f"cannot remove {', '.join(names)}")


def _compose_up(run: DeployRun, services: tuple[str, ...], *, remove_orphans: bool) -> None:
    limit_s = run.wait_timeout_s
    how = up_options(services, remove_orphans=remove_orphans, limit_s=limit_s)
    _run_compose_up(run, how)


def _run_compose_up(run: DeployRun, how: UpOptions) -> None:
    image_names = run.restore_point.image_names
    keep_nameless(run.observer, {image: name for name, image in image_names.items()})
    run.before_up = run.observer.service_containers()
    forced = how.services if how.force_recreate else ()
    allowed = allow_plan(run.plan, run.generated.rendered, run.before_up, forced=forced)
    finished = compose_up(run.observer, run.project, how, run.take_line, allowed=allowed)
    _require_success(run, finished, "cannot start the services with docker compose")


def verify(run: DeployRun, step: DeployStep) -> None:
    names = tuple(name for name in step.services if name not in run.completed_before)
    run.containers = _verify_services(run, names)
    if not run.plan.is_idle:
        _compare_with_plan(run)
    wait_for_data(run.observer, run.integrations.data_checks, report=run.integrations.report)


def _compare_with_plan(run: DeployRun) -> None:
    """Fail if something was changed that the plan did not have: the report would not be true."""
    deviations = tuple(find_deviations(run.plan, run.before_up, run.containers))
    if deviations:
        what = "cannot verify that only the plan was carried out"
        raise OpsctlError(what, why="; ".join(deviations))


def _verify_services(run: DeployRun, names: tuple[str, ...]) -> tuple[ServiceContainer, ...]:
    now = run.observer.context.clock.now()
    expected = expect_services(run.observation, run.plan, names, now=now)
    containers = wait_until_healthy(
        run.observer, expected, timeout_s=run.wait_timeout_s, report=run.integrations.report
    )
    check_images_and_environment(run.observer, expected, containers)
    warnings = find_warnings(expected, containers, env=run.plan.env)
    run.warnings += [warning for warning in warnings if warning not in run.warnings]
    return containers


def record(run: DeployRun, _: DeployStep) -> None:
    run.images = read_images(run)
    run.release_log.finish(run.plan.release, outcomes.DONE, release_details(run))
    run.is_recorded = True
    run.left_behind = f"release {run.plan.release} is live; only the clean-up is incomplete"
    _keep_for_rollback(run)
    remove_old_release_files(run)


def _keep_for_rollback(run: DeployRun) -> None:
    """Tag what ran before, and give up our tags of what runs."""
    in_use = set(find_image_ids(run).values())
    before = run.restore_point.image_names.items()
    keep_images(run.observer, {image: name for name, image in before if image not in in_use})
    drop_kept_tags(run.observer, in_use)


def remove_old_release_files(run: DeployRun) -> None:
    """Keep the generated files of the last releases only; failed ones do not push out others."""
    log = run.release_log
    kept = (*log.succeeded()[:KEPT_RELEASE_FILES], *log.recent(1))
    names = {name for release in kept for name in (release.id, release.origin) if name}
    for release in log.recent():
        if release.file and release.id not in names:
            run.observer.context.files.remove(Path(release.file))
            run.observer.file_store.remove(release.id, kept=names)


def prune(run: DeployRun, _: DeployStep) -> None:
    """Clean up; every failure is only a warning, because the release is live."""
    try:
        report = prune_engine(run.observer, report=run.integrations.report)
    except OpsctlError as error:
        why = f"{error.what}: {error.why}" if error.why else error.what
        run.warnings.append(DeployIssue("prune", why, error.hint, is_warning=True))
        run.release_log.note(run.plan.release, StepKind.PRUNE, "failed", why=why)
        return
    run.freed_bytes = report.freed_bytes
    run.warnings += report.warnings
    run.release_log.finish(run.plan.release, outcomes.DONE, release_details(run))


def notify(_: DeployRun, __: DeployStep) -> None:
    """Done at the very end, whatever the outcome."""


def _require_success(run: DeployRun, finished: Finished, what: str) -> None:
    if finished.exit_code:
        reason = find_reason(run.output)
        raise OpsctlError(what, why=f"exit code {finished.exit_code}: {reason}")


def create_restore_point(run: DeployRun) -> RestorePoint:
    """Collect what runs now, so that a failed deploy can restore it."""
    unfinished = run.observation.unfinished_release
    if unfinished is not None and unfinished.restore_point:
        # Half a deploy runs now; the one to restore is what ran before it.
        return read_restore_point(unfinished)
    before = [found for found in run.observation.containers if found.is_up]
    current = run.observation.current_release
    return RestorePoint(
        images={found.service: found.container.image_id for found in before},
        image_names={found.container.image: found.container.image_id for found in before},
        file=current.file if current else "",
        release=current.id if current else "",
        unhealthy=tuple(sorted({found.service for found in before if is_unhealthy(found)})),
        containers=tuple(found.container.id for found in run.observation.containers),
        manifests={found.service: found.container.image_manifest for found in before},
    )


ACTIONS: dict[StepKind, Callable[[DeployRun, DeployStep], None]] = {
    StepKind.PREFLIGHT: preflight,
    StepKind.LOCK: lock,
    StepKind.SNAPSHOT: snapshot,
    StepKind.REMOVE: remove,
    StepKind.FETCH: fetch_images,
    StepKind.BUILD: build,
    StepKind.PULL: pull,
    StepKind.TAG: tag,
    StepKind.BEFORE_UP: run_hook,
    StepKind.START: start,
    StepKind.MIGRATE: migrate,
    StepKind.UP: up,
    StepKind.VERIFY: verify,
    StepKind.AFTER_UP: run_hook,
    StepKind.RECORD: record,
    StepKind.PRUNE: prune,
    StepKind.NOTIFY: notify,
}
