"""Runs `compose up` on a generated file, and retries when someone else removes a container."""

import re
from collections.abc import Callable

from opsctl.deploy.observe import Observer, split_leftovers
from opsctl.systems.engine.compose import ComposeProject, UpOptions
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Finished

# What compose reports when a clean-up removes the container that it is replacing.
CONTAINER_RACE = re.compile(
    "already in progress|marked for removal|[Nn]o such container|is already in use by container"
)
ATTEMPTS, PAUSE_S = 8, 1.0


def compose_up(
    observer: Observer, project: ComposeProject, how: UpOptions, on_line: Callable[[Line], None]
) -> Finished:
    """Run `compose up`; remove leftovers and retry when it lost a race over a container."""
    output: list[str] = []

    def collect_line(line: Line) -> None:
        output.append(line.text)
        on_line(line)

    for attempt in range(2, ATTEMPTS + 1):
        finished = observer.context.compose.up(project, how, collect_line)
        if not finished.exit_code or not CONTAINER_RACE.search("\n".join(output)):
            return finished
        output.clear()
        on_line(Line(f"lost a race over a container; retrying ({attempt} of {ATTEMPTS})"))
        observer.context.clock.sleep(PAUSE_S)
        remove_leftovers(observer)
    return observer.context.compose.up(project, how, collect_line)


def remove_leftovers(observer: Observer) -> None:
    """Remove what an interrupted replacement left under a temporary name."""
    for leftover in split_leftovers(observer.project_containers())[1]:
        observer.context.containers.remove(leftover.id, force=True)
