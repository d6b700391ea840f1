"""Rules: images say which version they are, and none of them is Kafka."""

import re
from collections.abc import Iterator

from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject, SourceFile
from opsctl.policy.rules.services import each_service, service_violation

_FROM = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(?P<image>\S+)(?:[ \t]+AS[ \t]+(?P<stage>\S+))?",
    re.IGNORECASE | re.MULTILINE,
)


def has_no_version(image: str) -> bool:
    """Say whether a name may mean another image tomorrow."""
    name, _, digest = image.partition("@")
    if digest:
        return False
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag in {"", "latest"}


@rule(
    "image-latest",
    Severity.ERROR,
    reason="`latest` is another image tomorrow: a release cannot be identified or restored.",
    fix="Name the version, e.g. redis:8.0.2, or the digest.",
)
def latest(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        if service.image and has_no_version(service.image):
            tag = "latest" if service.image.endswith(":latest") else "no version"
            if tag == "latest" or service.build is None:
                yield service_violation(file, service, f"image {service.image} has {tag}", "image")
    for source in project.named("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile"):
        yield from _in_dockerfile(source)


def _in_dockerfile(source: SourceFile) -> Iterator[Violation]:
    stages = {"scratch"}
    for match in source.find(_FROM):
        image = match["image"]
        if image.lower() not in stages and "$" not in image and has_no_version(image):
            line = source.line_of(match.start("image"))
            yield Violation(f"FROM {image} has no version", source.path, line)
        if match["stage"]:
            stages.add(match["stage"].lower())


@rule(
    "kafka-image",
    Severity.ERROR,
    reason="This project's message queue is Redis Pub/Sub; Kafka is ruled out.",
    fix="Use the stack's Redis; `opsctl debug pubsub` inspects it.",
)
def kafka_image(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        image = service.image.lower()
        if any(word in image for word in project.policy.kafka_images):
            yield service_violation(
                file, service, f"image {service.image} is Kafka, or belongs to it", "image"
            )


RULES: tuple[Rule[CheckedProject], ...] = (latest, kafka_image)
