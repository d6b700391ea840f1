"""Runs the commands of `deploy.hooks` before and after the containers are replaced."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from opsctl.deploy.failure_reason import find_reason
from opsctl.deploy.model import DeployPlan, DeployStep, DeployTarget, StepKind
from opsctl.deploy.run import DeployRun
from opsctl.errors import OpsctlError
from opsctl.settings.sections.deploy import DeployHooks
from opsctl.systems.process.output import Line, redact
from opsctl.systems.process.run import Command

# An opsctl that a hook calls has to find the same state, locks and engine.
PASSED_VARIABLES = (
    "OPSCTL_STATE_DIR",
    "OPSCTL_DEPLOY_LOCK_DIR",
    "OPSCTL_PROJECT_NAME",
    "XDG_STATE_HOME",
)
CHANGING = frozenset({StepKind.START, StepKind.MIGRATE, StepKind.UP})
KEPT_LINES = 40


def add_hooks(plan: DeployPlan, hooks: DeployHooks, secrets: Iterable[str]) -> DeployPlan:
    """Add a step per command: before the first that changes a container, and after the check."""
    if plan.is_idle:
        return plan
    secrets = tuple(secrets)
    before = tuple(_list_steps(StepKind.BEFORE_UP, hooks.before_up, secrets))
    after = tuple(_list_steps(StepKind.AFTER_UP, hooks.after_up, secrets))
    kinds = [step.kind for step in plan.steps]
    first = next((i for i, kind in enumerate(kinds) if kind in CHANGING), len(kinds))
    last = kinds.index(StepKind.VERIFY) + 1 if StepKind.VERIFY in kinds else len(kinds)
    steps = (*plan.steps[:first], *before, *plan.steps[first:last], *after, *plan.steps[last:])
    return replace(plan, steps=steps)


def _list_steps(
    kind: StepKind, commands: tuple[tuple[str, ...], ...], secrets: tuple[str, ...]
) -> Iterator[DeployStep]:
    for argv in commands:
        yield DeployStep(kind, describe_command(argv, secrets), f"deploy.hooks.{kind}")


def describe_command(argv: tuple[str, ...], secrets: tuple[str, ...]) -> str:
    return shlex.join(redact(word, secrets) for word in argv)


def run_hook(run: DeployRun, step: DeployStep) -> None:
    """Run one command in the project's folder; its failure is the step's."""
    context, secrets = run.observer.context, run.secrets
    hooks, output = context.settings.deploy.hooks, list[str]()

    def take_line(line: Line) -> None:
        output.append(line.text)
        del output[:-KEPT_LINES]
        run.take_line(line)

    command = Command(
        find_command(hooks, step, secrets),
        cwd=context.target.directory,
        env=build_environment(context.target, run.plan),
        timeout_s=hooks.timeout_s,
        secrets=secrets,
        late=OpsctlError,
    )
    finished = context.processes.stream(command, take_line)
    if finished.exit_code:
        why = f"exit code {finished.exit_code}: {find_reason(output) or 'it printed nothing'}"
        raise OpsctlError(f"cannot run the hook {step.what}", why=why)


def find_command(hooks: DeployHooks, step: DeployStep, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Find the command of a step; the step itself shows it with secrets masked."""
    commands = hooks.before_up if step.kind is StepKind.BEFORE_UP else hooks.after_up
    return next(argv for argv in commands if describe_command(argv, secrets) == step.what)


def build_environment(target: DeployTarget, plan: DeployPlan) -> Mapping[str, str]:
    """Say what is deployed and where; beyond that a hook gets what every program gets."""
    passed = {name: target.variables[name] for name in PASSED_VARIABLES if name in target.variables}
    return {
        **passed,
        "DOCKER_HOST": target.engine,
        "OPSCTL_ENV": target.env,
        "OPSCTL_RELEASE": plan.release,
        "OPSCTL_COMMIT": plan.git_sha,
    }
