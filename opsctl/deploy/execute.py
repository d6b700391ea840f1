"""Runs a plan step by step; a failed step is handed to `recover`."""

from opsctl.deploy.model import DeployReport, DeployStep, ServiceContainer, ServiceOutcome
from opsctl.deploy.notify_outcome import notify_outcome
from opsctl.deploy.recover import fail_deploy, print_failure_logs
from opsctl.deploy.releases import release_log as outcomes
from opsctl.deploy.releases.release_details import release_details
from opsctl.deploy.run import DeployRun
from opsctl.deploy.services.repair import suggest_repair
from opsctl.deploy.steps import ACTIONS, create_restore_point
from opsctl.deploy.verify.wait_until_healthy import UnhealthyError


def execute(run: DeployRun) -> DeployReport:
    """Run every step; when one fails, restore the previous release and raise."""
    run.started_s = run.observer.context.clock.steady()
    if run.plan.is_idle:
        return _verify_unchanged(run)
    run.restore_point = create_restore_point(run)
    step = run.plan.steps[0]
    try:
        _begin_release(run)
        for number, step in enumerate(run.plan.steps):
            run.integrations.progress.advance(
                number, len(run.plan.steps), f"{step.kind} {step.what}"
            )
            _run_step(run, step)
        run.integrations.progress.advance(len(run.plan.steps), len(run.plan.steps), "")
    except BaseException as error:
        # Whatever it is, a bug of ours included: the previous release must run again.
        if run.is_recorded:
            raise
        fail_deploy(run, step, error)
    notify_outcome(run, f"{run.plan.project}: {run.plan.release} is live", is_failure=False)
    return _build_report(run, outcomes.DONE)


def _begin_release(run: DeployRun) -> None:
    actor = run.observer.context.actor
    run.release_log.begin(run.plan, actor, release_details(run))


def _run_step(run: DeployRun, step: DeployStep) -> None:
    """Record the step before it runs and after: a kill leaves only the first record."""
    clock = run.observer.context.clock
    started_s = clock.steady()
    run.release_log.note(run.plan.release, step.kind, "begin", what=step.what)
    run.integrations.report(f"{step.kind}: {step.what} ({step.reason})")
    ACTIONS[step.kind](run, step)
    seconds = round(clock.steady() - started_s, 3)
    run.release_log.note(run.plan.release, step.kind, "end", seconds=seconds)


def _verify_unchanged(run: DeployRun) -> DeployReport:
    """Only verify: nothing changes, so nothing is recorded and nothing can be restored."""
    for step in run.plan.steps:
        try:
            ACTIONS[step.kind](run, step)
        except UnhealthyError as error:
            print_failure_logs(run, error)
            services = (verdict.service for verdict in error.verdicts)
            error.hint = error.hint or suggest_repair(run.plan.env, services)
            raise
    current = run.observation.current_release
    return _build_report(run, "unchanged", release=current.id if current else "")


def _build_report(run: DeployRun, outcome: str, *, release: str = "") -> DeployReport:
    changes = {plan.service: str(plan.change) for plan in run.plan.services}
    return DeployReport(
        env=run.plan.env,
        project=run.plan.project,
        release=release or run.plan.release,
        outcome=outcome,
        git_sha=run.plan.git_sha,
        services=tuple(_build_outcome(found, changes) for found in run.containers),
        duration_s=round(run.observer.context.clock.steady() - run.started_s, 2),
        freed_bytes=run.freed_bytes,
        warnings=(*run.plan.warnings, *run.warnings),
    )


def _build_outcome(found: ServiceContainer, changes: dict[str, str]) -> ServiceOutcome:
    container = found.container
    return ServiceOutcome(
        service=found.service,
        change=changes.get(found.service, ""),
        state=container.state,
        image=container.image,
        image_id=container.image_id,
        health=container.health,
    )
