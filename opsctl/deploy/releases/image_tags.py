"""What the names of images mean: put back, and kept from being lost. One name an image."""

from collections.abc import Mapping

from opsctl.deploy.observe import Observer
from opsctl.systems.engine.inventory import split_reference

KEPT = "opsctl-"
NAMELESS = "sha256:"
SHORT = 12


def give(observer: Observer, meanings: Mapping[str, str]) -> None:
    """Let each name mean this image; one that is gone is found out later."""
    stock = observer.site.stock
    for name, image in meanings.items():
        wanted = None if name.startswith(NAMELESS) else stock.image(image)
        found = stock.image(name) if wanted else None
        if wanted is None or (found is not None and found.id == wanted.id):
            continue
        stock.tag(image, name)
        # A second name would let a clean-up take the first from an image that runs.
        for other in wanted.names:
            if split_reference(other)[1].startswith(KEPT):
                stock.remove_image(other)


def protect(observer: Observer, images: Mapping[str, str]) -> None:
    """Give a nameless image a name, for `docker image prune` takes what has none."""
    stock = observer.site.stock
    for image, name in images.items():
        found = stock.image(image)
        if found is not None and not found.names:
            stock.tag(image, kept_name(image, name))


def kept_name(image: str, name: str) -> str:
    repository = "kept" if name.startswith(NAMELESS) else split_reference(name.partition("@")[0])[0]
    return f"{repository}:{KEPT}{image.removeprefix(NAMELESS)[:SHORT]}"
