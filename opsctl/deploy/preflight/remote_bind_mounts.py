"""A path on this machine does not exist on a remote engine."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from opsctl.deploy.model import DeployIssue
from opsctl.deploy.preflight.model import PreflightInput


def check_bind_mounts(facts: PreflightInput) -> Iterator[DeployIssue]:
    if not facts.observation.target.is_remote:
        return
    checkout = str(facts.observation.target.directory)
    for service in facts.services:
        for volume in service.volumes:
            if volume.kind == "bind" and PurePosixPath(volume.source).is_relative_to(checkout):
                yield DeployIssue(
                    "bind mount on a remote engine",
                    f"{service.name} mounts {volume.source}, a path on this machine",
                    "Copy it into the image, or use a named volume.",
                )
