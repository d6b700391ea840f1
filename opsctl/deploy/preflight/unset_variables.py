"""A variable that nobody set is an empty string: an empty password, in the worst case."""

from collections.abc import Iterator

from opsctl.deploy.compose_file import with_dependencies
from opsctl.deploy.model import DeployIssue
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.systems.engine.compose_variables import UnsetVariable


def check_unset_variables(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Refuse in production, and warn elsewhere; what is not deployed now does not count."""
    generated, options = facts.observation.generated, facts.options
    names = with_dependencies(generated, options.services or generated.services)
    deployed = frozenset(names) & frozenset(generated.services)
    for variable in facts.observation.unset_variables:
        if variable.name in facts.settings.allow_unset:
            continue
        if variable.services and not deployed.intersection(variable.services):
            continue
        yield DeployIssue(
            "unset variable",
            describe_unset_variable(variable, deployed),
            f"Set {variable.name} in .env; where it may be empty, write ${{{variable.name}:-}}"
            f" or add {variable.name} to deploy.allow_unset; for a literal $ write $$.",
            is_warning=not facts.observation.target.is_prod,
        )


def describe_unset_variable(variable: UnsetVariable, deployed: frozenset[str]) -> str:
    services = [name for name in variable.services if name in deployed]
    users = ", ".join(services) or "the compose file"
    verb = "use" if len(services) > 1 else "uses"
    return f"{users} {verb} {variable.name}, which is not set: compose makes it an empty string"
