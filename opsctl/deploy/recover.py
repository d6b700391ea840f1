"""What happens after a failed step: show logs, restore the previous release, record the outcome."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from opsctl.deploy.model import DeployStep, ServiceContainer
from opsctl.deploy.notify_outcome import notify_outcome
from opsctl.deploy.releases import release_log as outcomes
from opsctl.deploy.releases.image_tags import restore_tags
from opsctl.deploy.releases.release_details import release_details
from opsctl.deploy.releases.restore import restore
from opsctl.deploy.run import DeployRun
from opsctl.deploy.verify.wait_until_healthy import UnhealthyError
from opsctl.errors import OpsctlError, RefusedError, UnrestoredError
from opsctl.systems.process.output import redact

INTERRUPTED = "interrupted"


def fail_deploy(run: DeployRun, step: DeployStep, error: BaseException) -> NoReturn:
    """Recover completely, whatever signal arrives meanwhile: a second one is ignored."""
    try:
        _recover(run, step, error)
    except KeyboardInterrupt:
        if not run.has_changed_containers:
            raise
        _recover(run, step, error)
    raise error


def _recover(run: DeployRun, step: DeployStep, error: BaseException) -> None:
    reason = describe_error(error)
    if not run.has_changed_containers:
        _fail_unchanged(run, step, reason)
        return
    print_failure_logs(run, error)
    run.integrations.report(f"{step.kind} failed: {reason}; restoring the previous release")
    # A state directory that is full must not keep the previous release from running again.
    with suppress(OpsctlError):
        run.release_log.note(run.plan.release, "restore", "begin", reason=reason)
    try:
        run.containers = restore(
            run.observer,
            run.restore_point,
            generated_text=run.generated.text,
            timeout_s=run.restore_timeout_s,
            report=run.integrations.report,
        )
    except OpsctlError as restore_error:
        _raise_unrestored(run, step, error=error, restore_error=restore_error)
    _raise_restored(run, step, error)


def _fail_unchanged(run: DeployRun, step: DeployStep, reason: str) -> None:
    """No container was changed; only tags of images may have moved."""
    try:
        restore_tags(run.observer, run.restore_point.image_names)
    finally:
        if unrecorded := _record_outcome(run, outcomes.FAILED, f"{step.kind}: {reason}"):
            run.integrations.report(unrecorded.removeprefix("; "))


def _raise_restored(run: DeployRun, step: DeployStep, error: BaseException) -> NoReturn:
    reason = describe_error(error)
    unrecorded = _record_outcome(run, outcomes.RESTORED, f"{step.kind}: {reason}")
    has_previous = bool(run.restore_point.images)
    result = "restored the previous release" if has_previous else "removed what was started"
    title = f"{run.plan.project}: {run.plan.release} failed; {result}"
    notify_outcome(run, title, is_failure=True, text=reason)
    if isinstance(error, RefusedError):
        raise error
    raise OpsctlError(
        f"cannot deploy to {run.plan.env}: step {step.kind} failed; {result}",
        why=reason + unrecorded,
        hint=getattr(error, "hint", "") or f"`opsctl history -e {run.plan.env}` has the record.",
    ) from error


def _raise_unrestored(
    run: DeployRun, step: DeployStep, *, error: BaseException, restore_error: OpsctlError
) -> NoReturn:
    cause = describe_error(restore_error)
    reason = f"{step.kind}: {describe_error(error)}; the restore failed too: {cause}"
    reason += _record_outcome(run, outcomes.DEGRADED, reason)
    title = f"{run.plan.project}: {run.plan.release} failed and could not be rolled back"
    notify_outcome(run, title, is_failure=True, text=reason)
    env = run.plan.env
    raise UnrestoredError(
        f"cannot deploy to {env}, and cannot restore the previous release",
        why=reason,
        hint=f"See what runs: opsctl status -e {env}. Fix the cause, then go back with"
        f" `opsctl rollback -e {env}` or forward with `opsctl up -e {env}`."
        " Volumes were not touched.",
    ) from restore_error


def _record_outcome(run: DeployRun, outcome: str, reason: str) -> str:
    """Record the outcome; return what to add to the error if that fails.

    The release is missing if not even its start could be recorded.
    """
    try:
        if run.observer.context.store.releases.find(run.plan.release) is None:
            return ""
        run.release_log.note(run.plan.release, outcome, "end", reason=reason)
        run.release_log.finish(run.plan.release, outcome, release_details(run, reason=reason))
    except OpsctlError as error:
        return (
            f"; the outcome could not be recorded ({describe_error(error)}), so `opsctl status`"
            " calls the release unfinished until the next deploy"
        )
    return ""


def describe_error(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, OpsctlError):
        return f"{error.what}: {error.why}" if error.why else error.what
    return f"internal error: {type(error).__name__}"


def print_failure_logs(run: DeployRun, error: BaseException) -> None:
    """Print the last log lines of each failed service, as far as the engine still has them."""
    context = run.observer.context
    for name, container in _find_failed(run, error):
        try:
            log = context.containers.logs(container, lines=context.settings.deploy.log_lines)
        except OpsctlError:
            continue
        run.integrations.report(f"last log lines of {name}:")
        for line in redact(log, run.secrets).splitlines() or ["(no output)"]:
            run.integrations.report(f"  {line}")


def _find_failed(run: DeployRun, error: BaseException) -> Sequence[tuple[str, str]]:
    """Find service and container id of what failed."""
    if isinstance(error, UnhealthyError):
        verdicts = error.verdicts
        return tuple((found.service, found.container) for found in verdicts if found.container)
    if not isinstance(error, OpsctlError):
        return ()
    try:
        containers = run.observer.service_containers()
    except OpsctlError:
        return ()
    return tuple((found.service, found.container.id) for found in containers if _has_failed(found))


def _has_failed(found: ServiceContainer) -> bool:
    container = found.container
    has_exited = container.state in {"exited", "dead"} and container.exit_code != 0
    return container.health == "unhealthy" or container.state == "restarting" or has_exited
