"""What opsctl itself reads from hashes, images and states: reasons, and plans without compose."""

from opsctl.deploy.model import Observation, ServiceChange, ServiceContainer, ServicePlan
from opsctl.deploy.planning.fetches import short_id
from opsctl.deploy.verify.service_health import is_one_shot

COMPLETED = "it completed, and nothing changed"
FETCHED = "its image is fetched again"
UNCHANGED = "nothing changed"

Reading = tuple[ServiceChange, str]
# In this order: what happens to a service, what may happen to it, what follows it.
FOLLOWED = (ServiceChange.RECREATE_IF_IMAGE_CHANGES, ServiceChange.RECREATE)


def plan_without_compose(
    observation: Observation, names: tuple[str, ...], fetched: frozenset[str]
) -> list[ServicePlan]:
    """Compose gave no answer: assume that dependents are recreated, as Compose 2.26 does."""
    readings = {name: _read_service(observation, name, fetched) for name in names}
    for change in FOLLOWED:
        _follow(observation, readings, change)
    return [ServicePlan(name, change, reason) for name, (change, reason) in readings.items()]


def _read_service(observation: Observation, name: str, fetched: frozenset[str]) -> Reading:
    containers = observation.containers_of(name)
    wanted = observation.generated.service(name).replicas
    change, reason = read_change(observation, name, is_fetched=name in fetched)
    if change in {ServiceChange.KEEP, ServiceChange.START} and len(containers) > wanted:
        return ServiceChange.SCALE_DOWN, f"{len(containers)} containers exist, {wanted} wanted"
    return change, reason


def _follow(
    observation: Observation, readings: dict[str, Reading], followed: ServiceChange
) -> None:
    """Recreate everything that depends on what is recreated, directly or not."""
    is_settled = False
    while not is_settled:
        is_settled = True
        for name, (change, _) in list(readings.items()):
            if not observation.containers_of(name) or change in {*FOLLOWED[1:], followed}:
                continue
            depends_on = observation.generated.service(name).depends_on
            causes = [other for other in depends_on if readings.get(other, (None,))[0] is followed]
            if causes:
                readings[name] = (followed, f"{', '.join(causes)} is recreated")
                is_settled = False


def read_change(
    observation: Observation, name: str, *, is_fetched: bool = False
) -> tuple[ServiceChange, str]:
    """Read what happens to a service when nothing else changes."""
    service, containers = observation.generated.service(name), observation.containers_of(name)
    if len(containers) < service.replicas:
        return _read_missing(observation, name, len(containers))
    new_hash = observation.generated.config_hashes.get(name)
    if any(found.config_hash != new_hash for found in containers):
        return ServiceChange.RECREATE, "its configuration changed"
    if not is_fetched and (reason := find_changed_image(observation, name)):
        return ServiceChange.RECREATE, reason
    return _read_unchanged(observation, containers, is_fetched=is_fetched)


def find_changed_image(observation: Observation, name: str) -> str:
    """Say that a container runs another image than its name refers to now; empty if none does."""
    image = observation.generated.service(name).image
    new_image = observation.image_ids.get(image)
    for found in observation.containers_of(name):
        if not observation.runs_image(found.container, image):
            before, after = short_id(found.container.image_id), short_id(new_image)
            return f"its image changed from {before} to {after}"
    return ""


def _read_unchanged(
    observation: Observation, containers: tuple[ServiceContainer, ...], *, is_fetched: bool
) -> Reading:
    down = [found for found in containers if not found.is_up]
    stopped = [found.container for found in down if not has_completed(observation, found)]
    if stopped:
        reason = f"it is {stopped[0].state} (exit code {stopped[0].exit_code})"
        return ServiceChange.START, reason
    if is_fetched:
        return ServiceChange.RECREATE_IF_IMAGE_CHANGES, FETCHED
    return ServiceChange.KEEP, COMPLETED if down else UNCHANGED


def _read_missing(observation: Observation, name: str, count: int) -> Reading:
    if not count and completed_before(observation, name):
        return ServiceChange.KEEP, COMPLETED
    if count:
        replicas = observation.generated.service(name).replicas
        return ServiceChange.CREATE, f"{count} of {replicas} containers exist"
    return ServiceChange.CREATE, "it does not exist"


def completed_before(observation: Observation, name: str) -> bool:
    """Look in the release log: a clean-up removes the container of a completed one-shot."""
    current, generated = observation.current_release, observation.generated
    if current is None or name not in current.completed:
        return False
    has_same_config = current.config_hashes.get(name) == generated.config_hashes.get(name)
    image, manifest = generated.images[name], current.image_manifests.get(name)
    is_same_id = current.images.get(name) == observation.image_ids.get(image)
    is_same_content = manifest in observation.image_manifests.get(image, ())
    return has_same_config and (is_same_id or is_same_content)


def has_completed(observation: Observation, found: ServiceContainer) -> bool:
    has_succeeded = found.container.state == "exited" and found.container.exit_code == 0
    return has_succeeded and is_one_shot(observation.generated.service(found.service))
