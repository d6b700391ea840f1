"""The files that a new project starts with."""

import re
from pathlib import Path, PurePosixPath

from opsctl.init.model import ProjectFile
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
    ".github/workflows/opsctl.yml": "workflow.yml",
}


def list_project_files(project: str) -> tuple[ProjectFile, ...]:
    """Write every file for a project of this name."""
    settings = ProjectFile(
        PurePosixPath("configs/opsctl.yaml"),
        render_example({"project.name": project, "env": "dev"}),
    )
    copied = (
        ProjectFile(PurePosixPath(path), (_TEMPLATES / name).read_text("utf-8"))
        for path, name in _COPIED.items()
    )
    return (settings, ProjectFile(PurePosixPath("configs") / SCHEMA_FILE, render_schema()), *copied)


def project_name(folder: str) -> str:
    """Make a folder's name fit for containers and networks."""
    words = re.sub(r"[^a-z0-9_-]+", "-", folder.casefold()).strip("-_")
    return words[:40] or "stack"
