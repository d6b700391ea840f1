"""docker compose: render a project, start and stop it, and list its containers."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.docker.compose_dry_run import WAITING, read_event
from opsctl.systems.engine.compose import (
    ComposeProject,
    DryRun,
    DryRunEnd,
    DryRunEvent,
    LogOptions,
    OnLine,
    ServiceContainer,
    UnreadableProjectError,
    UpOptions,
)
from opsctl.systems.engine.compose_model import RenderedProject, read_rendered
from opsctl.systems.engine.compose_variables import (
    UnsetVariable,
    find_unset_names,
    find_unset_variables,
)
from opsctl.systems.process.output import MASK, Line, redact
from opsctl.systems.process.run import Command, Finished, Processes

# The first with `--progress` for the whole program and `ps` as a line for each container.
OLDEST = (2, 21)
# Rendering touches no engine; a listing asks it once.
ASK_S = 30.0
DOWN_S = 300.0
# A build or a pull is as slow as the line to the registry.
FETCH_S = 3600.0
# Beyond what compose itself was told to wait.
SPARE_S = 120.0
# Cut off in the middle of replacing a container, it leaves two under one name.
GRACE_S = 30.0
# 0.2 to 0.3 s on an idle machine. One that waits for a container may never end.
DRY_RUN_S = 20.0
DRY_RUN_GRACE_S = 1.0
SETTINGS = {"DOCKER_CLI_HINTS": "false"}
# A default attestation has a time in it: with it, each build of the same content is another image.
BUILD_SETTINGS = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
EVERY_PROFILE = "*"
# Compose 2.26 writes it before each line of a log, `--ansi never` or not.
ERASE_LINE = "\x1b[2K"

# What the plugin says when no engine answers: Compose 2, an address that cannot be, Compose 5.
UNREACHED = (
    "Cannot connect to the Docker daemon",
    "trying to connect to the",
    "failed to connect to the docker API",
)

# Also what is never closed: that may be what is wrong with it.
QUOTED = re.compile(r"""\"(?:[^"\\]|\\.)*("|$)|`[^`]*(`|$)""")


def compose(project: ComposeProject, *words: str) -> tuple[str, ...]:
    """The beginning of every call: engine, name, folder and files are always given."""
    directory = project.directory.absolute()
    files = tuple(word for path in project.files for word in ("-f", str(directory / path)))
    env = tuple(
        word for path in project.env_files for word in ("--env-file", str(directory / path))
    )
    profiles = tuple(word for name in project.profiles for word in ("--profile", name))
    plain = ("--ansi", "never", "--progress", "plain")
    place = ("-p", project.name, "--project-directory", str(directory))
    start = ("docker", "-H", project.engine, "compose")
    return (*start, *plain, *place, *files, *env, *profiles, *words)


def config(project: ComposeProject) -> tuple[str, ...]:
    return compose(project, "--profile", EVERY_PROFILE, "config", "--format", "json")


def config_as_written(project: ComposeProject) -> tuple[str, ...]:
    return (*config(project), "--no-interpolate")


def hashes(project: ComposeProject) -> tuple[str, ...]:
    return compose(project, "--profile", EVERY_PROFILE, "config", "--hash", "*")


def ps(project: ComposeProject) -> tuple[str, ...]:
    return compose(project, "ps", "--all", "--no-trunc", "--format", "json")


def dry_run(project: ComposeProject, options: UpOptions) -> tuple[str, ...]:
    return up(project, options, "--dry-run")


def up(project: ComposeProject, options: UpOptions, *mode: str) -> tuple[str, ...]:
    words = [*mode, "up", "-d", "--no-build", "--pull", "never"]
    if options.wait_timeout_s is not None:
        words += ["--wait", "--wait-timeout", str(options.wait_timeout_s)]
    if options.remove_orphans:
        words.append("--remove-orphans")
    if options.force_recreate:
        words.append("--force-recreate")
    if not options.with_dependencies:
        words.append("--no-deps")
    return compose(project, *words, "--", *options.services)


def build(project: ComposeProject, services: tuple[str, ...] = ()) -> tuple[str, ...]:
    return compose(project, "build", "--", *services)


def pull(project: ComposeProject, services: tuple[str, ...] = ()) -> tuple[str, ...]:
    return compose(project, "pull", "--ignore-buildable", "--", *services)


def without_files(project: ComposeProject) -> ComposeProject:
    """Describe the project by its name alone: compose then goes by the labels of what exists."""
    return replace(project, files=(), env_files=(), profiles=())


def down(project: ComposeProject, *, stop_timeout_s: int | None) -> tuple[str, ...]:
    # Never with --volumes: that is the data.
    timeout = () if stop_timeout_s is None else ("--timeout", str(stop_timeout_s))
    return compose(without_files(project), "down", "--remove-orphans", *timeout)


def remove(project: ComposeProject, services: tuple[str, ...]) -> tuple[str, ...]:
    # Never with --volumes: anonymous ones are data as well.
    words = ("--profile", EVERY_PROFILE, "rm", "--stop", "--force", "--", *services)
    return compose(project, *words)


def logs(project: ComposeProject, options: LogOptions) -> tuple[str, ...]:
    words = ["logs", "--no-color", "--tail", str(options.lines)]
    if options.follow:
        words.append("--follow")
    if options.with_times:
        words.append("--timestamps")
    return compose(project, *words, "--", *options.services)


def direct(argv: tuple[str, ...], plugin: Path) -> tuple[str, ...]:
    """Call the plugin as the program of its own that it is: `docker-compose` in place of both."""
    _, *engine, _ = argv[:4]
    return (str(plugin), *engine, *argv[4:])


def read_instances(text: str) -> tuple[ServiceContainer, ...]:
    """Read `ps --format json`: one document per container and line."""
    found = (_instance(json.loads(line)) for line in text.splitlines() if line.strip())
    return tuple(sorted(found, key=lambda one: one.name))


def _instance(raw: Mapping[str, Any]) -> ServiceContainer:
    return ServiceContainer(
        id=raw["ID"],
        name=raw["Name"],
        service=raw["Service"],
        image=raw["Image"],
        state=raw["State"],
        health=raw["Health"] or None,
        exit_code=raw["ExitCode"],
    )


def read_hashes(text: str) -> dict[str, str]:
    pairs = (line.split() for line in text.splitlines() if line.strip())
    return {service: digest for service, digest in pairs}  # noqa: C416 - two words, or ValueError


def without_content(complaint: str) -> str:
    """Keep the error and its place, not the lines that compose quotes: `.env` has passwords."""
    kept, _, _ = complaint.partition("You may need to escape any $")
    lines = (line for line in kept.splitlines() if "level=warning" not in line)
    return "\n".join(_unquoted(line) for line in lines).strip()


def _unquoted(line: str) -> str:
    # Here the quotes hold names of services, which the reader needs.
    is_plain = line.startswith(('service "', "no such service"))
    return line if is_plain else QUOTED.sub(f'"{MASK}"', line)


class DockerCompose:
    """The compose plugin of the docker program, version 2.21 or later."""

    def __init__(self, processes: Processes, plugin: Path | None = None) -> None:
        """With `plugin` rendering calls it directly: the docker program starts it twice."""
        self._processes = processes
        self._plugin = plugin

    def version(self) -> str:
        argv = ("docker", "compose", "version", "--short")
        finished = self._processes.run(Command(argv, env=SETTINGS, timeout_s=ASK_S))
        said = finished.stdout.strip().removeprefix("v")
        found = re.match(r"(\d+)\.(\d+)", said)
        hint = "Install it: apt-get install docker-compose-plugin"
        if finished.exit_code or not found:
            why = "the docker program has no compose plugin"
            raise OpsctlError("cannot run docker compose", why=why, hint=hint)
        if (int(found[1]), int(found[2])) < OLDEST:
            why = f"it is version {said}; opsctl needs {OLDEST[0]}.{OLDEST[1]} or later"
            raise OpsctlError("cannot use this docker compose", why=why, hint=hint)
        return said

    def config(self, project: ComposeProject) -> RenderedProject:
        finished = self._render(project, config(project))
        rendered = read_rendered(finished.stdout)
        unset = self._find_unset(project, find_unset_names(finished.stderr))
        return replace(rendered, unset_variables=unset) if unset else rendered

    def _find_unset(
        self, project: ComposeProject, names: tuple[str, ...]
    ) -> tuple[UnsetVariable, ...]:
        if not names:
            return ()
        try:
            text = self._render(project, config_as_written(project)).stdout
        except OpsctlError:
            # Not every file is valid as it is written; the names are what counts.
            text = ""
        return find_unset_variables(names, text)

    def hashes(self, project: ComposeProject) -> Mapping[str, str]:
        return read_hashes(self._render(project, hashes(project)).stdout)

    def ps(self, project: ComposeProject) -> tuple[ServiceContainer, ...]:
        finished = self._processes.run(_command(project, ps(project), ASK_S))
        what = f"cannot list the containers of {project.name}"
        if finished.exit_code and _is_unreached(finished):
            raise UnreachableError(what, why=f"no container engine answers at {project.engine}")
        if finished.exit_code:
            raise OpsctlError(what, why=finished.complaint)
        return read_instances(finished.require().stdout)

    def up(self, project: ComposeProject, options: UpOptions, on_line: OnLine) -> Finished:
        timeout_s = (options.wait_timeout_s or options.limit_s) + SPARE_S
        return self._act(project, up(project, options), on_line, timeout_s=timeout_s)

    def dry_run(self, project: ComposeProject, options: UpOptions) -> DryRun:
        argv = dry_run(project, options)
        if self._plugin is not None:
            argv = direct(argv, self._plugin)
        # Masking would change the names of resources that contain a short secret.
        plain = replace(project, secrets=())
        command = _command(plain, argv, DRY_RUN_S)
        command = replace(command, grace_s=DRY_RUN_GRACE_S, late=_LateError)
        events: list[DryRunEvent] = []
        try:
            finished = self._processes.stream(command, partial(_collect_event, events))
        except _WaitingError:
            return DryRun(tuple(events), DryRunEnd.WAITING)
        except _LateError as error:
            return DryRun(tuple(events), DryRunEnd.LATE, error.what)
        if finished.exit_code:
            complaint = redact(without_content(finished.complaint), project.secrets)
            return DryRun(tuple(events), DryRunEnd.FAILED, complaint)
        return DryRun(tuple(events))

    def build(
        self, project: ComposeProject, on_line: OnLine, *, services: tuple[str, ...] = ()
    ) -> Finished:
        with_settings = replace(project, environment={**project.environment, **BUILD_SETTINGS})
        return self._act(with_settings, build(project, services), on_line, timeout_s=FETCH_S)

    def pull(
        self, project: ComposeProject, on_line: OnLine, *, services: tuple[str, ...] = ()
    ) -> Finished:
        return self._act(project, pull(project, services), on_line, timeout_s=FETCH_S)

    def down(
        self, project: ComposeProject, on_line: OnLine, *, stop_timeout_s: int | None = None
    ) -> Finished:
        argv = down(project, stop_timeout_s=stop_timeout_s)
        return self._act(project, argv, on_line, timeout_s=DOWN_S + (stop_timeout_s or 0))

    def remove(
        self, project: ComposeProject, on_line: OnLine, *, services: tuple[str, ...]
    ) -> Finished:
        return self._act(project, remove(project, services), on_line, timeout_s=DOWN_S)

    def logs(self, project: ComposeProject, options: LogOptions, on_line: OnLine) -> Finished:
        timeout_s = math.inf if options.follow else ASK_S

        def take_line(line: Line) -> None:
            on_line(replace(line, text=line.text.removeprefix(ERASE_LINE)))

        return self._act(project, logs(project, options), take_line, timeout_s=timeout_s)

    def _act(
        self, project: ComposeProject, argv: tuple[str, ...], on_line: OnLine, *, timeout_s: float
    ) -> Finished:
        return self._processes.stream(_command(project, argv, timeout_s), on_line)

    def _render(self, project: ComposeProject, argv: tuple[str, ...]) -> Finished:
        if self._plugin is not None:
            argv = direct(argv, self._plugin)
        finished = self._processes.run(_command(project, argv, ASK_S))
        if finished.exit_code:
            what = f"cannot render the compose project {project.name}"
            raise UnreadableProjectError(what, why=without_content(finished.complaint))
        return finished.require()


class _WaitingError(Exception):
    """The dry run waits for a container that it only pretends to start."""


class _LateError(OpsctlError):
    pass


def _collect_event(events: list[DryRunEvent], line: Line) -> None:
    event = read_event(line.text)
    if event is None:
        return
    if event.word == WAITING:
        raise _WaitingError
    events.append(event)


def _command(project: ComposeProject, argv: tuple[str, ...], timeout_s: float) -> Command:
    return Command(
        argv,
        cwd=project.directory,
        env={**project.environment, **SETTINGS},
        timeout_s=timeout_s,
        grace_s=GRACE_S,
        secrets=project.secrets,
        late=OpsctlError,
    )


def _is_unreached(finished: Finished) -> bool:
    return any(said in finished.stderr for said in UNREACHED)
