from opsctl.deploy.releases.release_details import find_digests
from opsctl.systems.engine.inventory import InventoryImage
from tests.unit.deploy.observations import make_generated


def _image(*digests: str) -> InventoryImage:
    return InventoryImage("i", (), digests, 1)


def test_no_registry_digest_is_recorded_for_what_is_built_here() -> None:
    services = {
        "web": {"image": "app:1", "build": {"context": "."}},
        "worker": {"image": "app:1"},
        "db": {"image": "redis:8"},
    }
    images = {
        "web": _image("app@sha256:1"),
        "worker": _image("app@sha256:1"),
        "db": _image("redis@sha256:2"),
    }

    assert find_digests(make_generated(services), images) == {"db": "redis@sha256:2"}


def test_the_digest_in_the_repository_that_the_project_names_is_recorded() -> None:
    image = _image("mirror.example/redis@sha256:1", "redis@sha256:2")
    generated = make_generated({"db": {"image": "docker.io/library/redis:8"}})

    assert find_digests(generated, {"db": image}) == {"db": "redis@sha256:2"}


def test_an_image_without_a_digest_has_none() -> None:
    assert find_digests(make_generated({"db": {"image": "redis:8"}}), {"db": _image()}) == {}
