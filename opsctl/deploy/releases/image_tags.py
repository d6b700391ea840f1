"""The tags of images: moved back on a restore, and added where an image must not be lost.

On some engines an image is gone as soon as a build takes its last name, though a container runs
from it. So an image gets a tag of opsctl's own before anything may take its name, and as long as a
rollback needs it. An image in use has no tag of ours beside another: a clean-up by others would
remove the other one.
"""

from collections.abc import Collection, Mapping

from opsctl.deploy.observe import Observer
from opsctl.deploy.releases.kept_tags import IMAGE_ID, find_owner, kept_name
from opsctl.systems.engine.inventory import InventoryImage


def restore_tags(observer: Observer, images: Mapping[str, str]) -> None:
    """Tag each image id with its name again; a missing image is found later."""
    inventory = observer.context.inventory
    for name, image_id in images.items():
        image = None if name.startswith(IMAGE_ID) else inventory.image(image_id)
        if image is None:
            continue
        tagged = inventory.image(name)
        if tagged is None or tagged.id != image.id:
            inventory.tag(image_id, name)
    drop_kept_tags(observer, images.values())


def keep_images(observer: Observer, images: Mapping[str, str]) -> None:
    """Give each image, by id and name, a tag that no build or pull takes over."""
    inventory = observer.context.inventory
    for image_id, name in images.items():
        image = inventory.image(image_id)
        if image is not None and not _kept_tags(observer, image):
            inventory.tag(image_id, kept_name(image_id, name, owner=_owner(observer)))


def keep_nameless(observer: Observer, images: Mapping[str, str]) -> None:
    """Tag images that have no tag: `docker image prune` removes those."""
    inventory = observer.context.inventory
    for image_id, name in images.items():
        image = inventory.image(image_id)
        if image is not None and not image.names:
            inventory.tag(image_id, kept_name(image_id, name, owner=_owner(observer)))


def drop_kept_tags(observer: Observer, images: Collection[str]) -> None:
    """Remove our tag from each image that has another name."""
    inventory = observer.context.inventory
    for image_id in set(images):
        image = inventory.image(image_id)
        kept = _kept_tags(observer, image) if image else ()
        if image is not None and len(kept) < len(image.names):
            for name in kept:
                inventory.remove_image(name)


def _kept_tags(observer: Observer, image: InventoryImage) -> tuple[str, ...]:
    return tuple(name for name in image.names if find_owner(name) == _owner(observer))


def _owner(observer: Observer) -> str:
    return observer.context.settings.project.name
