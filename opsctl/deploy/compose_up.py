"""Runs `compose up` on a generated file, and retries when someone else removes a container."""

import re
from collections.abc import Callable
from dataclasses import replace

from opsctl.deploy.observe import Observer, split_leftovers
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose import ComposeProject, UpOptions
from opsctl.systems.engine.guarded_engine import AllowedCalls, EngineCall
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Finished

# What compose reports when a clean-up removes the container that it is replacing.
CONTAINER_RACE = re.compile(
    "already in progress|marked for removal|[Nn]o such container|is already in use by container"
)
ATTEMPTS, PAUSE_S = 8, 1.0
SHOWN_CALLS = 3


def compose_up(
    observer: Observer,
    project: ComposeProject,
    how: UpOptions,
    on_line: Callable[[Line], None],
    *,
    allowed: AllowedCalls,
) -> Finished:
    """Run `compose up` through a guarded engine, which refuses what is not allowed."""
    context = observer.context
    with context.engine_guard.guard(project.engine, allowed) as engine:
        guarded = replace(project, engine=engine.address)
        attempt = 1
        while True:
            output: list[str] = []
            finished = context.compose.up(guarded, how, _collect(output, on_line))
            if engine.refused:
                raise _refused(engine.refused)
            has_lost = finished.exit_code and CONTAINER_RACE.search("\n".join(output))
            if not has_lost or attempt == ATTEMPTS:
                return finished
            attempt += 1
            on_line(Line(f"lost a race over a container; retrying ({attempt} of {ATTEMPTS})"))
            context.clock.sleep(PAUSE_S)
            remove_leftovers(observer)


def _collect(output: list[str], on_line: Callable[[Line], None]) -> Callable[[Line], None]:
    def take_line(line: Line) -> None:
        output.append(line.text)
        on_line(line)

    return take_line


def _refused(calls: tuple[EngineCall, ...]) -> OpsctlError:
    words = tuple(dict.fromkeys(str(call) for call in calls))
    more = f" and {len(words) - SHOWN_CALLS} more" if len(words) > SHOWN_CALLS else ""
    return OpsctlError(
        "cannot let docker compose change what the plan does not have",
        why=f"it asked to {'; '.join(words[:SHOWN_CALLS])}{more}; that was refused",
        hint="Look at the plan again with `opsctl up -n`: something may have changed meanwhile.",
    )


def remove_leftovers(observer: Observer) -> None:
    """Remove what an interrupted replacement left under a temporary name."""
    for leftover in split_leftovers(observer.project_containers())[1]:
        observer.context.containers.remove(leftover.id, force=True)
