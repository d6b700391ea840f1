"""Runs a command in the container of a service, on the caller's own terminal and streams."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from opsctl.deploy.compose_file import check_service_names
from opsctl.deploy.deployed_project import read_deployed_project
from opsctl.deploy.model import ServiceContainer
from opsctl.deploy.observe import Observer
from opsctl.deploy.secret_values import collect_secrets
from opsctl.errors import OpsctlError, UsageError
from opsctl.systems.engine.compose_labels import NUMBER_LABEL
from opsctl.systems.process.output import redact
from opsctl.systems.process.run import Command

RUNNING = "running"


@dataclass(frozen=True, slots=True)
class ContainerCommand:
    """A command for one container, and how the audit describes it."""

    container: str
    description: str
    command: Command


def prepare_exec(
    observer: Observer,
    service: str,
    words: tuple[str, ...],
    *,
    index: int | None,
    has_terminal: bool,
) -> ContainerCommand:
    """Choose the container and build the command line."""
    target = observer.context.target
    containers = observer.service_containers()
    check_service_names((service,), {found.service: found for found in containers})
    chosen = choose_container(containers, service, index=index, env=target.env).container
    rendered = read_deployed_project(observer, containers).rendered
    secrets = collect_secrets(observer.context, rendered)
    argv = build_exec(target.engine, chosen.id, words, has_terminal=has_terminal)
    return ContainerCommand(
        chosen.name,
        shlex.join(redact(word, secrets) for word in words),
        Command(argv, secrets=secrets),
    )


def build_exec(
    engine: str, container: str, words: tuple[str, ...], *, has_terminal: bool
) -> tuple[str, ...]:
    options = ("--interactive", "--tty") if has_terminal else ("--interactive",)
    return ("docker", "-H", engine, "exec", *options, container, *words)


def choose_container(
    containers: Iterable[ServiceContainer], service: str, *, index: int | None, env: str
) -> ServiceContainer:
    """Choose the container with this number; without one there must be a single container."""
    by_number = {_number_of(found): found for found in containers if found.service == service}
    if index is None and len(by_number) > 1:
        raise UsageError(
            f"{service} has {len(by_number)} containers",
            hint=f"Choose one: --index {' or '.join(map(str, sorted(by_number)))}",
        )
    chosen = by_number.get(index) if index is not None else next(iter(by_number.values()))
    if chosen is None:
        numbers = ", ".join(map(str, sorted(by_number)))
        raise UsageError(f"{service} has no container {index}", hint=f"It has: {numbers}")
    state = chosen.container.state
    if state != RUNNING:
        fix = "up" if state in {"created", "dead"} else "restart"
        raise OpsctlError(
            f"cannot run a command in {service}",
            why=f"its container {chosen.container.name} is {state}",
            hint=f"Start it: opsctl {fix} -e {env} {service}",
        )
    return chosen


def _number_of(found: ServiceContainer) -> int:
    number = found.container.labels.get(NUMBER_LABEL, "")
    return int(number) if number.isdigit() else 1
