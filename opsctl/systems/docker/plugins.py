"""Where the docker program looks for its plugins."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SYSTEM_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)


def find_plugin(
    name: str, environ: Mapping[str, str], system: Sequence[str] = SYSTEM_FOLDERS
) -> Path | None:
    """Find the one that `docker NAME` would run, in docker's own order; None: ask docker."""
    try:
        folders = (*_told(environ), *system)
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    paths = (Path(folder) / f"docker-{name}" for folder in folders)
    return next((path for path in paths if os.access(path, os.X_OK) and path.is_file()), None)


def _told(environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("DOCKER_CONFIG") or f"{environ.get('HOME', '')}/.docker"
    yield from _configured(Path(home) / "config.json").get("cliPluginsExtraDirs", ())
    yield f"{home}/cli-plugins"


def _configured(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
