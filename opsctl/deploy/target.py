"""Reads from the settings what an environment is: its compose file, its project, its engine."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from opsctl.deploy.model import DeployTarget
from opsctl.errors import SettingsError
from opsctl.settings import Settings
from opsctl.settings.reading.choose_environment import app_env, overlays

# Variables that configure the tools must come from opsctl, not from the caller's shell.
TOOL_VARIABLES = ("COMPOSE_", "DOCKER_", "BUILDX_", "GIT_", "LD_")
SSH = "ssh://"
DEFAULT_ENGINE = "unix:///var/run/docker.sock"


def read_target(
    settings: Settings,
    directory: Path,
    environ: Mapping[str, str],
    *,
    engine: str = "",
    dotenv: Mapping[str, str] = MappingProxyType({}),
) -> DeployTarget:
    """Describe an environment; `engine` is this end of a tunnel, if there is one.

    COMPOSE_PROFILES of the `.env` counts where the settings name no profiles, as for compose.
    """
    environment = settings.environments.of(settings.env)
    engine_name = read_engine_address(settings, environ)
    default_file = f"docker-compose.{overlays(settings.env)[0]}.yml"
    return DeployTarget(
        env=settings.env,
        app_env=app_env(settings.env),
        project=environment.project or f"{settings.project.name}-{settings.env}",
        directory=directory,
        files=(Path(environment.compose_file or default_file),),
        engine=engine or engine_name,
        engine_name=engine_name,
        is_remote=engine_name.startswith((SSH, "tcp://")),
        profiles=environment.profiles or read_profiles(dotenv),
        variables={k: v for k, v in environ.items() if not k.startswith(TOOL_VARIABLES)},
    )


def read_profiles(dotenv: Mapping[str, str]) -> tuple[str, ...]:
    """Read the profiles that compose would activate by itself."""
    names = dotenv.get("COMPOSE_PROFILES", "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def read_engine_address(settings: Settings, environ: Mapping[str, str]) -> str:
    """Find the engine's address; the setting of the environment comes first."""
    host = settings.environments.of(settings.env).host
    if host and not host.startswith((SSH, "unix://")):
        raise SettingsError(
            f"cannot use environments.{settings.env}.host {host!r}",
            why="an engine is reached by ssh://user@host or unix:///path",
            hint="Do not use a bare tcp:// engine: it gives root to anyone who can reach it.",
        )
    return host or settings.engine.host or environ.get("DOCKER_HOST", "") or DEFAULT_ENGINE
