"""Prepares a deploy: observes, plans, and runs the preflight checks."""

from collections.abc import Iterator
from dataclasses import replace

from opsctl.deploy.hooks import add_hooks
from opsctl.deploy.integrations import DeployIntegrations
from opsctl.deploy.locking.deploy_lock import find_other_deploy
from opsctl.deploy.locking.manual_lock import read_manual_lock
from opsctl.deploy.model import DeployIssue, DeployOptions, DeployPlan, Observation
from opsctl.deploy.observe import Observer
from opsctl.deploy.planning.fetches import plan_fetches
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.deploy.preflight.checks import find_issues, refuse_on_issues
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.deploy.run import DeployRun

QUIET_S, QUIET_LIMIT_S = 1.0, 20.0


def prepare_deploy(
    observer: Observer, options: DeployOptions, integrations: DeployIntegrations
) -> DeployRun:
    """Plan a deploy; raise when a preflight check refuses it."""
    observation = observer.observe(options, integrations.migrator)
    observation = ask_for_fetches(observer, observation, options)
    settings = observer.context.settings.deploy
    plan = plan_deploy(
        observation,
        options,
        release=observer.release_log.new_id(),
        prunes=observation.target.is_prod and settings.prune,
        notifies=integrations.notifier is not None,
    )
    with_hooks = add_hooks(plan, settings.hooks, observation.generated.rendered.secrets)
    checked = check_plan(observer, observation, with_hooks, options)
    return DeployRun(observer, checked, observation, options, integrations)


def ask_for_fetches(
    observer: Observer, observation: Observation, options: DeployOptions
) -> Observation:
    """Ask who would follow if every image that is fetched changes."""
    fetched = {name for step in plan_fetches(observation, options) for name in step.services}
    changed = fetched & {found.service for found in observation.containers}
    if not changed:
        return observation
    containers, generated = observation.containers, observation.generated
    followed = observer.ask_compose(generated, containers, options, changed=changed)
    return replace(observation, compose_if_fetched=followed)


def check_plan(
    observer: Observer, observation: Observation, plan: DeployPlan, options: DeployOptions
) -> DeployPlan:
    """Add the preflight warnings to the plan; raise when a check refuses it."""
    facts = PreflightInput(observation, plan, options, observer.context.settings.deploy)
    issues = find_issues(facts)
    refuse_on_issues(issues, command=options.kind)
    warnings = (
        *_warn_of_manual_lock(observer),
        *_warn_of_unfinished(observer, observation),
        *_warn_of_unknown_origin(observation),
        *_warn_of_own_reading(observation),
        *issues,
    )
    return replace(plan, warnings=warnings)


def _warn_of_manual_lock(observer: Observer) -> Iterator[DeployIssue]:
    """Warn in a dry run; the command itself is refused before it gets here."""
    lock = read_manual_lock(observer.context)
    if lock is not None:
        fix = f"opsctl unlock -e {observer.context.target.env}"
        yield DeployIssue(
            "locked", f"this would be refused: {lock.description}", fix, is_warning=True
        )


def _warn_of_unfinished(observer: Observer, observation: Observation) -> Iterator[DeployIssue]:
    release, holder = observation.unfinished_release, find_other_deploy(observer)
    if holder is not None:
        yield DeployIssue(
            "deploy in progress", f"this plan may soon be outdated: {holder.said}", is_warning=True
        )
    elif release is not None:
        yield DeployIssue(
            "unfinished release",
            f"release {release.id}, started {release.started_at:%Y-%m-%d %H:%M:%S} UTC by"
            f" {release.who}, was cut off in step {release.last_step}; this deploy continues it",
            f"To go back instead: opsctl rollback -e {release.env}",
            is_warning=True,
        )


def _warn_of_unknown_origin(observation: Observation) -> Iterator[DeployIssue]:
    if observation.containers and observation.current_release is None:
        yield DeployIssue(
            "unknown origin",
            f"{observation.target.project} was not started by opsctl: if this deploy fails, its"
            " images are restored, with today's configuration",
            is_warning=True,
        )


def _warn_of_own_reading(observation: Observation) -> Iterator[DeployIssue]:
    if observation.compose is not None and not observation.compose.was_asked:
        yield DeployIssue(
            "dry run of compose",
            "compose did not say what it would do, so this plan is opsctl's own reading:"
            f" {observation.compose.complaint}",
            is_warning=True,
        )


def wait_until_quiet(observer: Observer) -> None:
    """After a kill, wait until the engine has finished what it was still doing."""
    context = observer.context
    if observer.release_log.unfinished() is None:
        return
    end = context.clock.steady() + QUIET_LIMIT_S
    before = None
    while context.clock.steady() < end:
        now = tuple((found.id, found.name, found.state) for found in observer.project_containers())
        if now == before:
            return
        before = now
        context.clock.sleep(QUIET_S)
