"""The Docker Engine's images, networks and ports."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from docker import errors
from requests import HTTPError

from opsctl.systems.docker.containers import DISK_USAGE_S, PATIENT_S, DockerContainers
from opsctl.systems.engine.compose_labels import PROJECT_LABEL
from opsctl.systems.engine.inventory import (
    EngineFacts,
    EngineNetwork,
    InventoryImage,
    PortPublisher,
    RemovalResult,
    StoppedContainer,
    split_reference,
)
from opsctl.systems.engine.model import read_time

# Of the engine itself; they are never in use, and cannot be removed.
OWN_NETWORKS = frozenset({"bridge", "host", "none"})
CONFLICT, FORBIDDEN = 409, 403
PULL_S = 3600.0
# What an image's configuration says about how it runs.
IMAGE_CONFIG = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "Shell", "StopSignal",
    "User", "Volumes", "WorkingDir",
)  # fmt: skip


class DockerInventory(DockerContainers):
    """The engine's images, networks and build cache."""

    def facts(self) -> EngineFacts:
        with self._telling("cannot read the facts of the container engine"):
            raw = self._client().info()
        return EngineFacts(raw.get("ID") or "", raw.get("Name") or "", raw.get("DockerRootDir", ""))

    def image(self, name: str) -> InventoryImage | None:
        with self._telling(f"cannot inspect image {name}"):
            try:
                raw = self._inspect_image(name)
            except errors.NotFound:
                return None
        config = raw.get("Config") or {}
        return replace(
            _image(raw, config.get("Labels")),
            manifests=_manifests(raw),
            fingerprint=_fingerprint(raw),
            ports=tuple(int(port.partition("/")[0]) for port in config.get("ExposedPorts") or ()),
            volumes=tuple(config.get("Volumes") or ()),
        )

    def _inspect_image(self, name: str) -> Mapping[str, Any]:
        """Inspect an image and its manifests, for which the driver has no call."""
        client = self._client()
        url = f"{client.base_url}/v{client.api_version}/images/{quote(name, safe='/:@')}/json"
        answer = client.get(url, params={"manifests": "1"}, timeout=client.timeout)
        try:
            answer.raise_for_status()
        except HTTPError as error:
            errors.create_api_error_from_http_exception(error)
        raw: Mapping[str, Any] = answer.json()
        return raw

    def list_images(self) -> tuple[InventoryImage, ...]:
        with self._telling("cannot list the images"):
            rows = self._client(PATIENT_S).images()
        return tuple(_image(raw, raw.get("Labels")) for raw in rows)

    def used_images(self) -> tuple[tuple[str, str], ...]:
        with self._telling("cannot list the containers"):
            rows = self._client(PATIENT_S).containers(all=True)
        return tuple((row["Id"], row["ImageID"]) for row in rows)

    def stopped(self) -> tuple[StoppedContainer, ...]:
        wanted = {"status": ["created", "exited", "dead"]}
        with self._telling("cannot list the stopped containers"):
            rows = self._client(PATIENT_S).containers(all=True, size=True, filters=wanted)
        return tuple(_stopped(row) for row in rows)

    def project_networks(self, project: str) -> tuple[EngineNetwork, ...]:
        wanted = {"label": f"{PROJECT_LABEL}={project}"}
        with self._telling(f"cannot list the networks of {project}"):
            rows = self._client().networks(filters=wanted)
        return tuple(sorted((_network(row) for row in rows), key=lambda network: network.name))

    def unused_networks(self) -> tuple[EngineNetwork, ...]:
        with self._telling("cannot list the networks"):
            client = self._client(PATIENT_S)
            rows, alive = client.networks(), client.containers()
        # Not by the engine's own filter: version 20 calls every network unused.
        used = {one["NetworkID"] for row in alive for one in _attached(row)} | OWN_NETWORKS
        return tuple(_network(row) for row in rows if not {row["Id"], row["Name"]} & used)

    def volume_labels(self, name: str) -> Mapping[str, str] | None:
        with self._telling(f"cannot inspect volume {name}"):
            return _labels(lambda: self._client().inspect_volume(name))

    def network_labels(self, name: str) -> Mapping[str, str] | None:
        with self._telling(f"cannot inspect network {name}"):
            return _labels(lambda: self._client().inspect_network(name))

    def publishers(self) -> tuple[PortPublisher, ...]:
        with self._telling("cannot list the containers"):
            rows = self._client(PATIENT_S).containers()
        return tuple(one for row in rows for one in _publishers(row))

    def tag(self, image: str, name: str) -> None:
        repository, tag = split_reference(name)
        with self._telling(f"cannot tag image {image} as {name}"):
            self._client(PATIENT_S).tag(image, repository, tag=tag)

    def remove_image(self, name: str) -> RemovalResult:
        client = self._client(PATIENT_S)
        return self._removed(
            f"cannot remove image {name}",
            lambda: client.remove_image(name, force=False, noprune=False),
        )

    def remove_network(self, network: str) -> RemovalResult:
        client = self._client(PATIENT_S)
        return self._removed(
            f"cannot remove network {network}", lambda: client.remove_network(network)
        )

    def remove_stopped(self, container: str) -> RemovalResult:
        client = self._client(PATIENT_S)
        return self._removed(
            f"cannot remove container {container}",
            lambda: client.remove_container(container, v=False, force=False),
        )

    def _removed(self, what: str, remove: Callable[[], object]) -> RemovalResult:
        with self._telling(what):
            try:
                remove()
            except errors.NotFound:
                return RemovalResult.GONE
            except errors.APIError as error:
                if error.status_code in {CONFLICT, FORBIDDEN}:
                    return RemovalResult.IN_USE
                raise
        return RemovalResult.REMOVED

    def drop_build_cache(self) -> int | None:
        with self._telling("cannot clear the build cache"):
            try:
                said = self._client(DISK_USAGE_S).prune_builds(all=True)
            except errors.APIError as error:
                if error.status_code == CONFLICT:
                    return None
                raise
        return int(said.get("SpaceReclaimed") or 0)

    def pull(self, reference: str) -> None:
        repository, tag = split_reference(reference)
        with self._telling(f"cannot pull {reference}"):
            self._client(PULL_S).pull(repository, tag=tag)


def _image(raw: Mapping[str, Any], labels: Mapping[str, str] | None) -> InventoryImage:
    return InventoryImage(
        id=raw["Id"],
        names=tuple(name for name in raw["RepoTags"] or () if name != "<none>:<none>"),
        digests=tuple(name for name in raw["RepoDigests"] or () if not name.startswith("<none>")),
        size_bytes=raw["Size"],
        labels=labels or {},
    )


def _manifests(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """List what can run; an attestation cannot."""
    return tuple(
        manifest["ID"]
        for manifest in raw.get("Manifests") or ()
        if manifest.get("Kind") == "image" and manifest.get("Available")
    )


def _fingerprint(raw: Mapping[str, Any]) -> str:
    """Digest the layers and the configuration, without names and times."""
    config = raw.get("Config") or {}
    content = [
        (raw.get("RootFS") or {}).get("Layers"),
        {key: config[key] for key in IMAGE_CONFIG if config.get(key)},
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _labels(inspect: Callable[[], Mapping[str, Any]]) -> Mapping[str, str] | None:
    try:
        return inspect().get("Labels") or {}
    except errors.NotFound:
        return None


def _stopped(row: Mapping[str, Any]) -> StoppedContainer:
    return StoppedContainer(
        id=row["Id"],
        name=(row["Names"] or [row["Id"]])[0].removeprefix("/"),
        state=row["State"],
        image_id=row["ImageID"],
        labels=row["Labels"] or {},
        size_bytes=row.get("SizeRw") or 0,
        created_at=datetime.fromtimestamp(row["Created"], UTC),
    )


def _attached(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((row.get("NetworkSettings") or {}).get("Networks", {}).values())


def _network(row: Mapping[str, Any]) -> EngineNetwork:
    return EngineNetwork(row["Id"], row["Name"], row.get("Labels") or {}, read_time(row["Created"]))


def _publishers(row: Mapping[str, Any]) -> tuple[PortPublisher, ...]:
    name = (row["Names"] or [row["Id"]])[0].removeprefix("/")
    project = (row["Labels"] or {}).get(PROJECT_LABEL, "")
    return tuple(
        PortPublisher(name, project, port.get("IP", ""), port["PublicPort"])
        for port in row["Ports"] or ()
        if port.get("PublicPort")
    )
