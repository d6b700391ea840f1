"""The files that a new project starts with."""

import re
from pathlib import Path, PurePosixPath

from opsctl.init.install_steps import (
    WORKFLOW,
    image_lines,
    install_command,
    workflow_step,
)
from opsctl.init.model import InstallSource, ProjectFile, SourceKind
from opsctl.settings.example import SCHEMA_FILE, render_example
from opsctl.settings.schema import render_schema

_TEMPLATES = Path(__file__).parent / "templates"
_COPIED = {
    "configs/dev.yaml": "dev.yaml",
    "configs/prod.yaml": "prod.yaml",
    ".env.example": "env.example",
    ".gitignore": "gitignore",
    "docker-compose.prod.yml": "docker-compose.prod.yml",
    "docker-compose.dev.yml": "docker-compose.dev.yml",
    "migrations/001_initial.sql": "001_initial.sql",
}
_LEFT_ALONE = "--install-from left it untouched"


def list_project_files(
    project: str, source: InstallSource | None = None
) -> tuple[ProjectFile, ...]:
    """Write every file for a project of this name, which installs opsctl from this source."""
    settings = ProjectFile(
        PurePosixPath("configs/opsctl.yaml"),
        render_example({"project.name": project, "env": "dev"}),
    )
    copied = (ProjectFile(PurePosixPath(path), _template(name)) for path, name in _COPIED.items())
    return (
        settings,
        ProjectFile(PurePosixPath("configs") / SCHEMA_FILE, render_schema()),
        *copied,
        _dockerfile(source),
        _workflow(source),
    )


def project_name(folder: str) -> str:
    """Make a folder's name fit for containers and networks."""
    words = re.sub(r"[^a-z0-9_-]+", "-", folder.casefold()).strip("-_")
    return words[:40] or "stack"


def _workflow(source: InstallSource | None) -> ProjectFile:
    text = _template("workflow.yml").replace("INSTALL_COMMAND", workflow_step(source))
    kept = f"{_LEFT_ALONE}: install opsctl there with `{install_command(source)}`" if source else ""
    return ProjectFile(PurePosixPath(WORKFLOW), text, _created_note(source), kept)


def _dockerfile(source: InstallSource | None) -> ProjectFile:
    text = _template("Dockerfile").replace("INSTALL_LINES", image_lines(source))
    if source is not None and source.kind is SourceKind.GIT:
        # The slim image has no git.
        text = text.replace("FROM python:3.13-slim AS build", "FROM python:3.13 AS build")
    created = _created_note(source)
    if source is not None and source.image_obstacle:
        created = f"its build fails until you fill in a source, because {source.image_obstacle}"
    return ProjectFile(PurePosixPath("Dockerfile"), text, created, _LEFT_ALONE if source else "")


def _created_note(source: InstallSource | None) -> str:
    if source is None:
        return "its install step fails until you fill in a source (--install-from)"
    if source.location.startswith(("/", "..")):
        return f"it installs opsctl from {source.location}, which must exist where CI runs"
    return f"it installs opsctl from {source.location}"


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")
