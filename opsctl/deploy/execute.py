"""Runs a plan step by step; what fails from `up` on is put back, verified and recorded."""

from collections.abc import Sequence
from typing import NoReturn

from opsctl.deploy.model import Act, Deployed, Running, ServiceOutcome, Step
from opsctl.deploy.releases import release_log as outcomes
from opsctl.deploy.releases.image_tags import give
from opsctl.deploy.releases.restore import restore
from opsctl.deploy.run import Run
from opsctl.deploy.steps import ACTS, base_from, details
from opsctl.deploy.verify.wait import UnwellError
from opsctl.errors import OpsctlError, RefusedError, UnrestoredError
from opsctl.systems.process.output import redact

INTERRUPTED = "it was interrupted"


def execute(run: Run) -> Deployed:
    """Do every step, or leave what ran before; say how it ended."""
    run.began_at = run.observer.site.clock.steady()
    if run.plan.is_idle:
        return _idle(run)
    run.base = base_from(run)
    step = run.plan.steps[0]
    try:
        _begin(run)
        for number, step in enumerate(run.plan.steps):
            run.helpers.progress.advance(number, len(run.plan.steps), f"{step.act} {step.what}")
            _take(run, step)
        run.helpers.progress.advance(len(run.plan.steps), len(run.plan.steps), "")
    except BaseException as error:
        # Whatever it is, a bug of ours included: what ran before must run again.
        if run.is_closed:
            raise
        _fail(run, step, error)
    _tell_notifier(run, f"{run.plan.project}: {run.plan.release} is live", is_bad=False)
    return _deployed(run, outcomes.DONE)


def _begin(run: Run) -> None:
    unfinished = run.seen.unfinished
    site = run.observer.site
    with site.store.transaction():
        if unfinished is not None:
            run.ledger.abandon(unfinished, successor=run.plan.release)
        run.ledger.begin(run.plan, site.actor, details(run))


def _take(run: Run, step: Step) -> None:
    """Written down before it acts, and after: a kill leaves the first line alone."""
    clock = run.observer.site.clock
    began = clock.steady()
    run.helpers.tell(f"{step.act}: {step.what} ({step.reason})")
    run.ledger.note(run.plan.release, step.act, "begin", what=step.what)
    ACTS[step.act](run, step)
    took = round(clock.steady() - began, 3)
    run.ledger.note(run.plan.release, step.act, "end", seconds=took)


def _idle(run: Run) -> Deployed:
    """Only look: nothing was to be changed, so nothing is put back and nothing recorded."""
    for step in run.plan.steps:
        try:
            ACTS[step.act](run, step)
        except UnwellError as error:
            _show_logs(run, error)
            raise
    live = run.seen.live
    return _deployed(run, "unchanged", release=live.id if live else "")


def _fail(run: Run, step: Step, error: BaseException) -> NoReturn:
    """Handle the failure to its end, whatever signal comes meanwhile; the second is swallowed."""
    try:
        _handle(run, step, error)
    except KeyboardInterrupt:
        if not run.is_touched:
            raise
        _handle(run, step, error)
    raise error


def _handle(run: Run, step: Step, error: BaseException) -> None:
    reason = reason_of(error)
    if not run.is_touched:
        _back_out(run, step, reason)
        return
    _show_logs(run, error)
    run.helpers.tell(f"{step.act} failed: {reason}; putting back what ran before")
    run.ledger.note(run.plan.release, "restore", "begin", reason=reason)
    try:
        run.running = restore(
            run.observer, run.base, draft_text=run.draft.text, tell=run.helpers.tell
        )
    except OpsctlError as second:
        _degraded(run, step, error=error, second=second)
    _restored(run, step, error)


def _back_out(run: Run, step: Step, reason: str) -> None:
    """Nothing that runs was touched; only names of images may have moved."""
    try:
        give(run.observer, run.base.names)
    finally:
        _close(run, outcomes.FAILED, f"{step.act}: {reason}")


def _restored(run: Run, step: Step, error: BaseException) -> NoReturn:
    reason = reason_of(error)
    _close(run, outcomes.RESTORED, f"{step.act}: {reason}")
    again = "what ran before runs again" if run.base.images else "what was started is removed again"
    title = f"{run.plan.project}: {run.plan.release} failed; {again}"
    _tell_notifier(run, title, is_bad=True, text=reason)
    if isinstance(error, RefusedError):
        raise error
    raise OpsctlError(
        f"the deploy to {run.plan.env} failed in step {step.act}; {again}",
        why=reason,
        hint=getattr(error, "hint", "") or f"`opsctl history -e {run.plan.env}` keeps the record.",
    ) from error


def _degraded(run: Run, step: Step, *, error: BaseException, second: OpsctlError) -> NoReturn:
    reason = f"{step.act}: {reason_of(error)}; putting back failed too: {reason_of(second)}"
    _close(run, outcomes.DEGRADED, reason)
    title = f"{run.plan.project}: {run.plan.release} failed and could not be put back"
    _tell_notifier(run, title, is_bad=True, text=reason)
    env = run.plan.env
    raise UnrestoredError(
        f"the deploy to {env} failed, and what ran before could not be put back",
        why=reason,
        hint=f"See what runs: opsctl status -e {env}. Mend the cause, then go back with"
        f" `opsctl rollback -e {env}` or on with `opsctl up -e {env}`."
        " Volumes were not touched.",
    ) from second


def _close(run: Run, outcome: str, reason: str) -> None:
    """Record the outcome; the row may be missing when not even the beginning could be written."""
    if run.observer.site.store.releases.find(run.plan.release) is None:
        return
    run.ledger.note(run.plan.release, outcome, "end", reason=reason)
    run.ledger.finish(run.plan.release, outcome, details(run, reason=reason))


def reason_of(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, OpsctlError):
        return f"{error.what}: {error.why}" if error.why else error.what
    return f"opsctl itself failed: {type(error).__name__}"


def _show_logs(run: Run, error: BaseException) -> None:
    """Show the last that the failing service said, as far as the engine still tells."""
    site = run.observer.site
    lines = site.settings.deploy.log_lines
    for name, container in _failing(run, error):
        try:
            said = site.containers.logs(container, lines=lines)
        except OpsctlError:
            continue
        run.helpers.tell(f"the last that {name} said:")
        for line in redact(said, run.draft.rendered.secrets).splitlines() or ["(nothing)"]:
            run.helpers.tell(f"  {line}")


def _failing(run: Run, error: BaseException) -> Sequence[tuple[str, str]]:
    if isinstance(error, UnwellError):
        return tuple((one.service, one.container) for one in error.verdicts if one.container)
    if not isinstance(error, OpsctlError):
        return ()
    try:
        running = run.observer.running()
    except OpsctlError:
        return ()
    return tuple((one.service, one.container.id) for one in running if _looks_bad(one))


def _looks_bad(one: Running) -> bool:
    container = one.container
    is_dead = container.state in {"exited", "dead"} and container.exit_code != 0
    return container.health == "unhealthy" or container.state == "restarting" or is_dead


def _tell_notifier(run: Run, title: str, *, is_bad: bool, text: str = "") -> None:
    """Tell; a message that does not arrive changes nothing about the deploy."""
    if run.helpers.notifier is None or not any(one.act is Act.NOTIFY for one in run.plan.steps):
        return
    try:
        run.helpers.notifier.tell(title, text, is_bad=is_bad)
    except OpsctlError as error:
        run.helpers.tell(f"could not notify: {error.what}")


def _deployed(run: Run, outcome: str, *, release: str = "") -> Deployed:
    changes = {one.service: str(one.change) for one in run.plan.services}
    return Deployed(
        env=run.plan.env,
        project=run.plan.project,
        release=release or run.plan.release,
        outcome=outcome,
        git_sha=run.plan.git_sha,
        services=tuple(_outcome(one, changes) for one in run.running),
        duration_s=round(run.observer.site.clock.steady() - run.began_at, 2),
        freed_bytes=run.freed_bytes,
        warnings=(*run.plan.warnings, *run.warnings),
    )


def _outcome(one: Running, changes: dict[str, str]) -> ServiceOutcome:
    container = one.container
    return ServiceOutcome(
        service=one.service,
        change=changes.get(one.service, ""),
        state=container.state,
        image=container.image,
        image_id=container.image_id,
        health=container.health,
    )
