"""Sends the outcome of a deploy, when its plan has that step."""

from opsctl.deploy.model import StepKind
from opsctl.deploy.run import DeployRun
from opsctl.errors import OpsctlError


def notify_outcome(run: DeployRun, title: str, *, is_failure: bool, text: str = "") -> None:
    """Notify; a message that cannot be sent does not change the outcome."""
    notifier, steps = run.integrations.notifier, run.plan.steps
    if notifier is None or not any(step.kind is StepKind.NOTIFY for step in steps):
        return
    try:
        notifier.notify(title, text, is_failure=is_failure)
    except OpsctlError as error:
        run.integrations.report(f"could not notify: {error.what}")
