"""What an engine holds, asked of a real one that nobody else uses."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.docker.inventory import DockerInventory
from opsctl.systems.engine.inventory import RemovalResult, split_reference
from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.own_engine import OwnEngine


@pytest.fixture
def inventory(own_engine: OwnEngine, docker_engine: DockerEngine) -> Iterator[DockerInventory]:
    own_engine.load(BUSYBOX, source=docker_engine)
    made = DockerInventory(own_engine.host, deadline_s=10)
    yield made
    made.close()


@pytest.fixture
def name() -> str:
    return f"test{uuid4().hex[:8]}"


def test_the_engine_says_who_it_is_and_where_it_keeps_things(
    inventory: DockerInventory, own_engine: OwnEngine
) -> None:
    facts = inventory.facts()

    assert facts.id
    assert Path(facts.root) == own_engine.data


def test_an_image_is_named_found_and_its_names_taken_away_one_by_one(
    inventory: DockerInventory, name: str
) -> None:
    image = inventory.image(BUSYBOX)
    assert image is not None

    inventory.tag(image.id, f"{name}:1")
    named = inventory.image(f"{name}:1")
    first, again = inventory.remove_image(f"{name}:1"), inventory.remove_image(f"{name}:1")

    assert named is not None
    assert named.id == image.id
    assert (first, again) == (RemovalResult.REMOVED, RemovalResult.GONE)
    assert inventory.image(BUSYBOX) is not None


def _build(engine: OwnEngine, name: str, text: str) -> None:
    subprocess.run(
        ["docker", "-H", engine.host, "build", "-q", "--no-cache", "-t", name, "-"],
        input=f"FROM {BUSYBOX}\nENV TEXT={text}\n".encode(),
        check=True,
        capture_output=True,
    )


def test_a_container_names_the_content_of_its_image_or_the_engine_knows_none(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    own_engine.run("create", "--name", name, BUSYBOX)
    image, container = inventory.image(BUSYBOX), inventory.inspect(name)
    own_engine.run("rm", name)

    assert image is not None
    assert container is not None
    assert container.image_id == image.id
    assert container.image_manifest in (image.manifests or ("",))


def test_images_that_differ_only_in_when_they_were_built_have_one_fingerprint(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    for number, text in enumerate(("same", "same", "other")):
        _build(own_engine, f"{name}:{number}", text)

    prints = [image.fingerprint for n in range(3) if (image := inventory.image(f"{name}:{n}"))]

    assert prints[0] == prints[1] != prints[2]


def test_an_image_that_a_container_depends_on_is_not_removed(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    container = own_engine.run("create", "--name", name, BUSYBOX)
    image = inventory.image(BUSYBOX)
    assert image is not None

    removal = inventory.remove_image(image.id)

    assert removal is RemovalResult.IN_USE
    assert (container, image.id) in inventory.used_images()
    assert name in {one.name for one in inventory.stopped()}
    assert inventory.remove_stopped(container) is RemovalResult.REMOVED
    assert inventory.remove_stopped(container) is RemovalResult.GONE


def test_a_container_that_runs_is_not_removed(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    container = own_engine.start(BUSYBOX, "sleep", "1000", options=["--name", name, "--init"])

    assert inventory.remove_stopped(container) is RemovalResult.IN_USE
    own_engine.run("rm", "--force", container)


def test_a_network_is_listed_only_while_nobody_uses_it(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    own_engine.run("network", "create", name)
    unused = {one.name: one.id for one in inventory.unused_networks()}
    container = own_engine.start(BUSYBOX, "sleep", "1000", options=["--network", name, "--init"])

    used = {one.name for one in inventory.unused_networks()}
    while_used = inventory.remove_network(unused[name])
    own_engine.run("rm", "--force", container)
    afterwards = inventory.remove_network(unused[name])

    assert name not in used
    assert (while_used, afterwards) == (RemovalResult.IN_USE, RemovalResult.REMOVED)
    assert "bridge" not in unused


def test_a_volume_and_a_network_are_known_by_their_labels(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    for kind in ("volume", "network"):
        own_engine.run(kind, "create", "--label", "a=b", name)
    own_engine.run("volume", "create", f"{name}-plain")

    assert inventory.volume_labels(name) == {"a": "b"}
    assert inventory.network_labels(name) == {"a": "b"}
    assert inventory.volume_labels(f"{name}-plain") == {}
    assert inventory.volume_labels(f"{name}-none") is None
    assert inventory.network_labels(f"{name}-none") is None
    own_engine.run("network", "rm", name)
    own_engine.run("volume", "rm", name, f"{name}-plain")


def test_an_image_is_known_by_what_it_exposes_and_stores(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    changes = [f"--change={line}" for line in ("EXPOSE 6379", "EXPOSE 53/udp", "VOLUME /data")]
    container = own_engine.run("create", BUSYBOX)
    own_engine.run("commit", *changes, container, f"{name}:1")

    image = inventory.image(f"{name}:1")

    assert image is not None
    assert (sorted(image.ports), image.volumes) == ([53, 6379], ("/data",))
    own_engine.run("rm", container)
    own_engine.run("rmi", f"{name}:1")


def test_a_published_port_is_listed_with_its_container(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    options = ["--name", name, "--init", "--publish", "127.0.0.1:18999:80"]
    container = own_engine.start(BUSYBOX, "sleep", "1000", options=options)

    (publisher,) = [one for one in inventory.publishers() if one.port == 18999]
    own_engine.run("rm", "--force", container)

    assert (publisher.container, publisher.address) == (name, "127.0.0.1")


def test_the_build_cache_is_dropped(inventory: DockerInventory) -> None:
    assert inventory.drop_build_cache() is not None


def test_a_failed_pull_is_reported(inventory: DockerInventory) -> None:
    with pytest.raises(OpsctlError, match="cannot pull"):
        inventory.pull("127.0.0.1:9/none:1")


def test_an_engine_that_is_down_is_unreachable(tmp_path: Path) -> None:
    away = DockerInventory(f"unix://{tmp_path}/none.sock", deadline_s=1)

    with pytest.raises(UnreachableError):
        away.facts()


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("web", ("web", "latest")),
        ("web:1", ("web", "1")),
        ("host:5000/web", ("host:5000/web", "latest")),
        ("host:5000/web:1", ("host:5000/web", "1")),
        ("web@sha256:ab", ("web", "sha256:ab")),
    ],
)
def test_a_reference_is_split(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts


def test_the_networks_of_a_project_are_listed_in_use_or_not(
    inventory: DockerInventory, own_engine: OwnEngine, name: str
) -> None:
    label = f"--label=com.docker.compose.project={name}"
    own_engine.run("network", "create", label, f"{name}_b")
    own_engine.run("network", "create", label, f"{name}_a")
    own_engine.run("network", "create", f"{name}_other")
    own_engine.run("create", "--name", name, "--network", f"{name}_a", BUSYBOX)

    networks = inventory.project_networks(name)

    assert [network.name for network in networks] == [f"{name}_a", f"{name}_b"]
    own_engine.run("rm", "--force", name)
    own_engine.run("network", "rm", f"{name}_a", f"{name}_b", f"{name}_other")
