"""Renders the environment's compose file, and finds the variables that nobody set."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
from opsctl.settings import Settings

if TYPE_CHECKING:
    from opsctl.systems.engine.compose import Compose, ComposeProject
    from opsctl.systems.engine.compose_variables import UnsetVariable

CHECK = "compose file"
DOTENV = ".env"


class ComposeFileContext(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def compose(self) -> "Compose": ...
    @property
    def local_project(self) -> "ComposeProject": ...


def check_compose_file(context: ComposeFileContext) -> Iterator[Finding]:
    """Report unset variables; say nothing of a project without a compose file."""
    project = context.local_project
    if not all((project.directory / path).exists() for path in project.files):
        return
    names = ", ".join(str(path) for path in project.files)
    try:
        rendered = context.compose.config(project)
    except OpsctlError as error:
        # A machine that only checks settings need not have Docker.
        yield Finding(CHECK, Level.ADVICE, f"{names} was not checked: {error.why or error.what}")
        return
    unset = rendered.unset_variables
    allowed = context.settings.deploy.allow_unset
    has_dotenv = (project.directory / DOTENV).exists()
    yield from judge_unset_variables(unset, allowed, names, has_dotenv=has_dotenv)


def judge_unset_variables(
    unset: "tuple[UnsetVariable, ...]",
    allowed: tuple[str, ...],
    file: str,
    *,
    has_dotenv: bool,
) -> Iterator[Finding]:
    """Without a .env, as in CI, the values are expected to be elsewhere: that is no problem."""
    for variable in unset:
        if variable.name in allowed:
            continue
        users = f" (in {', '.join(variable.services)})" if variable.services else ""
        yield Finding(
            CHECK,
            Level.WARNING if has_dotenv else Level.ADVICE,
            f"{file} uses {variable.name}{users}, which is not set:"
            " compose makes it an empty string",
            fix=f"Set it in .env; where it may be empty, write ${{{variable.name}:-}} or add"
            f" {variable.name} to deploy.allow_unset.",
        )
