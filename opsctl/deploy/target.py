"""Reads out of the settings what one environment is: its file, its project, its engine."""

from collections.abc import Mapping
from pathlib import Path

from opsctl.deploy.model import Target
from opsctl.errors import SettingsError
from opsctl.settings import Settings
from opsctl.settings.reading.choose_environment import app_env, overlays

# What steers the tools themselves must come from us, not from whoever's shell.
STEERING = ("COMPOSE_", "DOCKER_", "BUILDX_", "GIT_", "LD_")
SSH = "ssh://"


def target(
    settings: Settings, directory: Path, environ: Mapping[str, str], *, engine: str = ""
) -> Target:
    """Name the project of an environment; `engine` is where a tunnel leads, if there is one."""
    own = settings.environments.of(settings.env)
    named = engine_named(settings, environ)
    return Target(
        env=settings.env,
        app_env=app_env(settings.env),
        project=own.project or f"{settings.project.name}-{settings.env}",
        directory=directory,
        files=(Path(own.compose_file or f"docker-compose.{overlays(settings.env)[0]}.yml"),),
        engine=engine or named,
        engine_name=named,
        is_remote=named.startswith((SSH, "tcp://")),
        profiles=own.profiles,
        variables={k: v for k, v in environ.items() if not k.startswith(STEERING)},
    )


def engine_named(settings: Settings, environ: Mapping[str, str]) -> str:
    """Say where the engine is, the environment's own word first."""
    own = settings.environments.of(settings.env).host
    if own and not own.startswith((SSH, "unix://")):
        raise SettingsError(
            f"environments.{settings.env}.host is {own!r}",
            why="an engine is reached by ssh://user@host or unix:///path",
            hint="A bare tcp:// engine gives root to whoever reaches it.",
        )
    return own or settings.engine.host or environ.get("DOCKER_HOST", "") or DEFAULT_ENGINE


DEFAULT_ENGINE = "unix:///var/run/docker.sock"
