"""The tags of images: moved back on a restore, and added where an image must not be pruned.

Each image has one tag: a second one would let a clean-up remove the first from an image in use.
"""

from collections.abc import Mapping

from opsctl.deploy.observe import Observer
from opsctl.systems.engine.inventory import split_reference

KEPT_TAG = "opsctl-"
IMAGE_ID = "sha256:"
SHORT_ID = 12


def restore_tags(observer: Observer, images: Mapping[str, str]) -> None:
    """Tag each image id with its name again; a missing image is found later."""
    inventory = observer.context.inventory
    for name, image_id in images.items():
        image = None if name.startswith(IMAGE_ID) else inventory.image(image_id)
        tagged = inventory.image(name) if image else None
        if image is None or (tagged is not None and tagged.id == image.id):
            continue
        inventory.tag(image_id, name)
        for other in image.names:
            if split_reference(other)[1].startswith(KEPT_TAG):
                inventory.remove_image(other)


def keep_tagged(observer: Observer, images: Mapping[str, str]) -> None:
    """Tag images that have no tag: `docker image prune` removes those."""
    inventory = observer.context.inventory
    for image_id, name in images.items():
        image = inventory.image(image_id)
        if image is not None and not image.names:
            inventory.tag(image_id, kept_name(image_id, name))


def kept_name(image_id: str, name: str) -> str:
    repository = "kept" if name.startswith(IMAGE_ID) else split_reference(name.partition("@")[0])[0]
    return f"{repository}:{KEPT_TAG}{image_id.removeprefix(IMAGE_ID)[:SHORT_ID]}"
