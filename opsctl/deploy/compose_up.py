"""Starts what a generated file says, and bears with somebody else who is clearing up."""

import re
from collections.abc import Callable

from opsctl.deploy.observe import Observer, split
from opsctl.systems.engine.compose import ComposeProject, UpOptions
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Finished

# What compose says when a clean-up takes the old container from under its hands.
RACE = re.compile(
    "already in progress|marked for removal|[Nn]o such container|is already in use by container"
)
ATTEMPTS, PAUSE_S = 8, 1.0


def bring_up(
    observer: Observer, project: ComposeProject, how: UpOptions, hear: Callable[[Line], None]
) -> Finished:
    """Run `compose up`; again, after a sweep, when it lost a race over a container."""
    said: list[str] = []

    def listen(line: Line) -> None:
        said.append(line.text)
        hear(line)

    for number in range(2, ATTEMPTS + 1):
        done = observer.site.compose.up(project, how, listen)
        if not done.exit_code or not RACE.search("\n".join(said)):
            return done
        said.clear()
        hear(Line(f"a race over a container was lost; try {number} of {ATTEMPTS}"))
        observer.site.clock.sleep(PAUSE_S)
        sweep(observer)
    return observer.site.compose.up(project, how, listen)


def sweep(observer: Observer) -> None:
    """Remove what an interrupted replacement left under a name of its own."""
    for one in split(observer.containers())[1]:
        observer.site.containers.remove(one.id, force=True)
