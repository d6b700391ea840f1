"""Which services are recreated because the command line asks for it; pure."""

from collections.abc import Mapping
from dataclasses import replace

from opsctl.deploy.model import DeployOptions, Observation, ServiceChange, ServicePlan

ASKED = "asked for"
SHARED_NETWORK = "service:"


def find_forced(observation: Observation, options: DeployOptions) -> Mapping[str, str]:
    """Map the services to the reason; one that has no container yet is created anyway."""
    forced = dict.fromkeys(options.force_recreate, ASKED)
    for name in observation.generated.services:
        _, _, owner = observation.generated.service(name).network_mode.partition(SHARED_NETWORK)
        if owner in forced and name not in forced:
            forced[name] = f"it uses the network of {owner}"
    return {name: reason for name, reason in forced.items() if observation.containers_of(name)}


def add_forced(
    services: tuple[ServicePlan, ...], observation: Observation, options: DeployOptions
) -> tuple[ServicePlan, ...]:
    """Change the rows of these services."""
    forced = find_forced(observation, options)
    return tuple(
        replace(plan, change=ServiceChange.RECREATE, reason=forced[plan.service])
        if plan.service in forced
        else plan
        for plan in services
    )
