"""Services that keep data are not recreated or removed unless the command line allows it."""

from collections.abc import Iterator

from opsctl.deploy.model import DeployIssue, ServiceChange, ServicePlan
from opsctl.deploy.preflight.databases import is_data_image, is_stateful
from opsctl.deploy.preflight.model import PreflightInput

STATEFUL_SERVICE = "stateful service"
_DISRUPTIVE = frozenset(
    {ServiceChange.RECREATE, ServiceChange.RECREATE_IF_IMAGE_CHANGES, ServiceChange.REMOVE}
    | {ServiceChange.STOP_AND_START, ServiceChange.SCALE_DOWN}
)


def check_stateful_services(facts: PreflightInput) -> Iterator[DeployIssue]:
    for plan in facts.plan.services:
        if plan.change in _DISRUPTIVE and _keeps_data(facts, plan.service):
            is_uncertain = plan.change is ServiceChange.RECREATE_IF_IMAGE_CHANGES
            yield DeployIssue(
                STATEFUL_SERVICE,
                f"{plan.service} keeps data; {plan.change}: {plan.reason}"
                f"{_describe_major_change(facts, plan)}",
                "Make sure that there is a backup, then allow it with --allow-stateful;"
                f" if {plan.service} keeps no data, add it to deploy.stateless.",
                is_warning=facts.options.allow_stateful or is_uncertain,
            )


def _keeps_data(facts: PreflightInput, name: str) -> bool:
    observation, settings = facts.observation, facts.settings
    service = observation.generated.rendered.services.get(name)
    project = observation.generated.rendered.name
    if service is not None:
        image = observation.images.get(service.image)
        return is_stateful(service, settings, image=image, project=project)
    # No longer in the file: its containers still tell the image.
    images = (found.container.image for found in observation.containers_of(name))
    return any(is_data_image(name, image, settings, project=project) for image in images)


def _describe_major_change(facts: PreflightInput, plan: ServicePlan) -> str:
    new_image = facts.observation.generated.images.get(plan.service, "")
    for found in facts.observation.containers_of(plan.service):
        old, new = major_version(found.container.image), major_version(new_image)
        if old and new and old != new:
            return f"; its major version changes from {old} to {new}, which may not read its data"
    return ""


def major_version(image: str) -> str:
    """Read the major version from a tag: 17 of `2.19.3-pg17`, 8 of `8.0.2`."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    _, separator, postgres = tag.partition("pg")
    version = (postgres if separator else tag).lstrip("v")
    major = version.partition(".")[0].partition("-")[0]
    return major if major.isdigit() else ""
