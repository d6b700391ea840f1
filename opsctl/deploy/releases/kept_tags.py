"""The tag that opsctl gives to an image that it keeps: `opsctl-<project>-<id>`."""

import re

from opsctl.systems.engine.inventory import split_reference

KEPT_TAG = re.compile(r"opsctl-(?P<owner>[a-z0-9][a-z0-9_-]*)-[0-9a-f]{12}")
IMAGE_ID = "sha256:"
SHORT_ID = 12


def find_owner(name: str) -> str | None:
    """Name the opsctl project that keeps an image under this name; None for any other name."""
    found = KEPT_TAG.fullmatch(split_reference(name)[1])
    return found["owner"] if found else None


def kept_name(image_id: str, name: str, *, owner: str) -> str:
    repository = "kept" if name.startswith(IMAGE_ID) else split_reference(name.partition("@")[0])[0]
    return f"{repository}:opsctl-{owner}-{image_id.removeprefix(IMAGE_ID)[:SHORT_ID]}"
