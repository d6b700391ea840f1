"""Decides which images are built and pulled: each name once, and none that a service builds."""

from collections.abc import Collection, Iterator

from opsctl.deploy.compose_file import active_services, with_dependencies
from opsctl.deploy.model import (
    DeployOptions,
    DeployStep,
    GeneratedProject,
    Observation,
    StepKind,
)

PULL_ALWAYS = "always"
SHORT_ID = 12


def select_services(observation: Observation, options: DeployOptions) -> tuple[str, ...]:
    """Name what this deploy covers: all services, or the named ones and their dependencies."""
    if not options.services:
        return observation.generated.services
    return with_dependencies(observation.generated, options.services)


def names_for_up(
    generated: GeneratedProject, options: DeployOptions, profiles: Collection[str]
) -> tuple[str, ...]:
    """Name services to compose only if a part is meant: it scales down only what it is not told."""
    if options.services:
        return with_dependencies(generated, options.services)
    is_whole = set(active_services(generated.rendered, profiles)) == set(generated.services)
    return () if is_whole else generated.services


def plan_fetches(observation: Observation, options: DeployOptions) -> tuple[DeployStep, ...]:
    """Build and pull what is missing or may have changed."""
    return tuple(_list_fetches(observation, options))


def _list_fetches(observation: Observation, options: DeployOptions) -> Iterator[DeployStep]:
    users = users_of_images(observation, options)
    for image, services in users.items():
        if find_builder(observation.generated, image) is None:
            if reason := _reason_to_pull(observation, image, services):
                yield DeployStep(StepKind.PULL, image, reason, services)
        elif reason := _reason_to_build(observation, options, image):
            yield DeployStep(StepKind.BUILD, image, reason, services)


def users_of_images(observation: Observation, options: DeployOptions) -> dict[str, tuple[str, ...]]:
    """Map the name of each image to the services of this deploy that use it."""
    users: dict[str, tuple[str, ...]] = {}
    for name in select_services(observation, options):
        image = observation.generated.service(name).image
        users[image] = (*users.get(image, ()), name)
    return users


def find_builder(generated: GeneratedProject, image: str) -> str | None:
    """Name the service that builds an image: one that runs, if there is one."""
    services = generated.rendered.services
    builders = [
        name for name, found in services.items() if found.build is not None and found.image == image
    ]
    running = [name for name in builders if name in generated.services]
    return next(iter(running or builders), None)


def _reason_to_pull(observation: Observation, image: str, services: tuple[str, ...]) -> str:
    if observation.image_ids.get(image) is None:
        return "it is not on this engine"
    policies = {observation.generated.service(name).pull_policy for name in services}
    return "pull_policy: always" if PULL_ALWAYS in policies else ""


def _reason_to_build(observation: Observation, options: DeployOptions, image: str) -> str:
    git, current = observation.git, observation.current_release
    if options.build:
        return "--build"
    if observation.image_ids.get(image) is None:
        return "its image is not on this engine"
    if git is None or current is None:
        return "its sources may have changed: no commit to compare with"
    if git.dirty or git.untracked or current.is_dirty:
        return "uncommitted changes"
    if git.head != current.git_sha:
        return f"commit {short_id(git.head)} follows {short_id(current.git_sha)}"
    return ""


def short_id(name: str | None) -> str:
    return (name or "nothing").removeprefix("sha256:")[:SHORT_ID]
