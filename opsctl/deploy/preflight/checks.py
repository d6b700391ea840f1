"""Runs every preflight check, and refuses the deploy when one of them fails."""

from opsctl.deploy.model import DeployIssue
from opsctl.deploy.preflight.disk_space import check_disk_space
from opsctl.deploy.preflight.git_checkout import check_experiment, check_git_checkout
from opsctl.deploy.preflight.host_access import check_host_access
from opsctl.deploy.preflight.model import PreflightCheck, PreflightInput
from opsctl.deploy.preflight.ports import check_database_ports, check_ports_free
from opsctl.deploy.preflight.remote_bind_mounts import check_bind_mounts
from opsctl.deploy.preflight.shared_resources import check_container_names, check_shared_resources
from opsctl.deploy.preflight.stateful_services import check_stateful_services
from opsctl.deploy.preflight.unset_variables import check_unset_variables
from opsctl.errors import RefusedError

CHECKS: tuple[PreflightCheck, ...] = (
    check_experiment,
    check_git_checkout,
    check_unset_variables,
    check_database_ports,
    check_host_access,
    check_shared_resources,
    check_container_names,
    check_ports_free,
    check_disk_space,
    check_stateful_services,
    check_bind_mounts,
)


def find_issues(facts: PreflightInput) -> tuple[DeployIssue, ...]:
    """Run every check; refusals come first."""
    issues = [issue for check in CHECKS for issue in check(facts)]
    return tuple(sorted(issues, key=lambda issue: issue.is_warning))


def refuse_on_issues(issues: tuple[DeployIssue, ...], *, command: str) -> None:
    """Stop when any issue is more than a warning; the error lists all of them."""
    refusals = [issue for issue in issues if not issue.is_warning]
    if refusals:
        fixes = dict.fromkeys(issue.fix for issue in refusals if issue.fix)
        raise RefusedError(
            f"{command} refused: {refusals[0].check}; nothing was changed",
            why="; ".join(issue.what for issue in refusals),
            hint=" ".join(fixes),
        )
