"""Recognises databases, and the services that keep data."""

from pathlib import PurePosixPath

from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_model import Service, Volume
from opsctl.systems.engine.image_names import is_named_after, is_named_as_tool
from opsctl.systems.engine.inventory import InventoryImage

# Where images are configured: a file or folder that is mounted there is no data.
CONFIG_FOLDERS = ("/docker-entrypoint-initdb.d", "/etc", "/usr/local/etc", "/run", "/tmp", "/certs")  # noqa: S108 - of containers
CONFIG_WORDS = frozenset({"config", "conf", "conf.d", "certs", "plugins", "scripts", "backup"})


def is_database(
    service: Service, settings: Deploy, *, image: InventoryImage | None = None, project: str = ""
) -> bool:
    """Recognise a database by the name of its image, or by what its image exposes and stores."""
    if service.name in settings.stateless:
        return False
    if is_named_after(_telling_name(service, project), settings.database_images):
        return True
    return _looks_like_database(service, settings, image)


def is_stateful(
    service: Service, settings: Deploy, *, image: InventoryImage | None = None, project: str = ""
) -> bool:
    """Recognise a service whose data would suffer; the settings have the last word."""
    if service.name in settings.stateful:
        return True
    if service.name in settings.stateless:
        return False
    is_store = is_named_after(_telling_name(service, project), settings.stateful_images)
    if not is_store and not is_database(service, settings, image=image, project=project):
        return False
    return any(_holds_data(volume, image) for volume in service.volumes)


def is_data_image(name: str, image: str, settings: Deploy, *, project: str) -> bool:
    """Judge a service of which only the image's name is left."""
    if name in settings.stateful or name in settings.stateless:
        return name in settings.stateful
    left = _telling_name(Service(name, image=image), project)
    return is_named_after(left, (*settings.database_images, *settings.stateful_images))


def _telling_name(service: Service, project: str) -> str:
    """Leave the project out of the name that compose gives to a built image."""
    return service.name if service.image == f"{project}-{service.name}" else service.image


def _looks_like_database(service: Service, settings: Deploy, image: InventoryImage | None) -> bool:
    if image is None or is_named_as_tool(service.image):
        return False
    return bool(image.volumes) and bool(set(image.ports) & set(settings.database_ports))


def _holds_data(volume: Volume, image: InventoryImage | None) -> bool:
    if volume.kind == "volume":
        return bool(volume.source)
    if volume.kind != "bind" or volume.is_read_only:
        return False
    target = PurePosixPath(volume.target)
    if image is not None and image.volumes:
        folders = [PurePosixPath(folder) for folder in image.volumes]
        if any(target.is_relative_to(it) or it.is_relative_to(target) for it in folders):
            return True
    is_config = any(target.is_relative_to(folder) for folder in CONFIG_FOLDERS)
    return not (is_config or target.suffix or CONFIG_WORDS.intersection(target.parts))
