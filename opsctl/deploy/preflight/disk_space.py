"""The engine's disk has room for the images that will be fetched."""

from collections.abc import Iterator

from opsctl.deploy.model import DeployIssue, StepKind
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.units import format_bytes

MIB = 1024 * 1024


def check_disk_space(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Refuse when the images do not fit; warn when the disk is nearly full."""
    usage, settings = facts.observation.disk, facts.settings
    if usage is None:
        return
    fetches = [s for s in facts.plan.steps if s.kind in {StepKind.PULL, StepKind.BUILD}]
    services = [name for step in fetches for name in step.services]
    needed_bytes = sum(_image_bytes(facts, name) for name in services)
    if services and usage.free_bytes < needed_bytes + settings.disk_reserve_mb * MIB:
        yield DeployIssue(
            "disk space",
            f"{usage.mount} has {format_bytes(usage.free_bytes)} free;"
            f" {', '.join(services)} may need {format_bytes(needed_bytes)},"
            f" and {settings.disk_reserve_mb} MiB must stay free",
            f"opsctl prune -e {facts.observation.target.env}",
        )
    elif usage.percent >= settings.disk_warn_percent:
        yield DeployIssue(
            "disk space",
            f"{usage.mount} is {usage.percent:.0f} % full",
            f"opsctl prune -e {facts.observation.target.env}",
            is_warning=True,
        )


def _image_bytes(facts: PreflightInput, service: str) -> int:
    name = facts.observation.generated.service(service).image
    return facts.observation.image_sizes.get(name) or facts.settings.image_estimate_mb * MIB
