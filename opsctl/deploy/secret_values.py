"""Collects every value of a compose project that no output may show."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from opsctl.deploy.context import DeployContext
from opsctl.errors import OpsctlError
from opsctl.settings.reading.find_settings_files import DOTENV
from opsctl.settings.reading.parse_dotenv import read_dotenv
from opsctl.systems.engine.compose_model import RenderedProject
from opsctl.systems.engine.compose_secrets import MIN_CHARACTERS, DeclaredSecret

# A certificate with its key; what is larger is data.
MAX_SECRET_BYTES = 64 * 1024


def collect_secrets(context: DeployContext, rendered: RenderedProject) -> tuple[str, ...]:
    """Add the values of the section `secrets` to those of variables and build arguments."""
    declared = rendered.declared_secrets
    variables = _read_variables(context) if any(secret.variable for secret in declared) else {}
    found = (_read_secret(context, secret, variables) for secret in declared)
    values = (value.strip() for value in found)
    return (*rendered.secrets, *(value for value in values if len(value) >= MIN_CHARACTERS))


def _read_secret(
    context: DeployContext, secret: DeclaredSecret, variables: Mapping[str, str]
) -> str:
    if secret.variable:
        return variables.get(secret.variable, "")
    return _read_text(context, Path(secret.file))


def _read_variables(context: DeployContext) -> Mapping[str, str]:
    """Read what compose would take them from: .env, and before it the environment."""
    return {**dict(_read_dotenv(context)), **context.target.variables}


def _read_dotenv(context: DeployContext) -> Iterator[tuple[str, str]]:
    text = _read_text(context, context.target.directory / DOTENV)
    return ((variable.name, variable.value) for variable in read_dotenv(text, str(DOTENV)))


def _read_text(context: DeployContext, path: Path) -> str:
    try:
        return context.files.read_text(path, limit_bytes=MAX_SECRET_BYTES, is_lenient=True)
    except OpsctlError:
        # Missing, unreadable or no text: compose reports it when it starts the service.
        return ""
