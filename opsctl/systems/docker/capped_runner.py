"""Capped test containers on Docker: created, attached to, measured and removed."""

import math
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from typing import Any

from docker import errors

from opsctl.errors import OpsctlError
from opsctl.systems.docker.capped_spec import create_config
from opsctl.systems.docker.capped_stream import SocketChannel
from opsctl.systems.docker.containers import PATIENT_S, UNIX, DockerContainers
from opsctl.systems.engine.capped_container import (
    KEPT_PREFIX,
    CappedSpec,
    ContainerChannel,
    ImageFacts,
    NetworkFacts,
    ResourceSample,
)
from opsctl.systems.engine.model import Container

CONFLICT, FORBIDDEN = 409, 403


class DockerCappedRunner(DockerContainers):
    """The engine for test containers."""

    @property
    def socket(self) -> str:
        local = self._address.startswith(UNIX)
        return f"/{self._address.removeprefix(UNIX).lstrip('/')}" if local else ""

    def image(self, name: str) -> ImageFacts | None:
        with self._telling(f"cannot inspect image {name}"):
            try:
                raw = self._client().inspect_image(name)  # type: ignore[no-untyped-call]  # stub
            except errors.NotFound:
                return None
        return read_image_facts(raw)

    def create(self, spec: CappedSpec) -> str:
        with self._telling(f"cannot create a test container from {spec.image}"):
            client = self._client(PATIENT_S)
            made = client.create_container_from_config(create_config(spec), spec.name)  # type: ignore[no-untyped-call]  # stub
        found: str = made["Id"]
        return found

    def open(self, container: str, *, stdin: bool = True, output: bool = True) -> ContainerChannel:
        telling = partial(self._telling, "cannot attach to the test container")
        wanted = {"stdin": int(stdin), "stdout": int(output), "stderr": int(output), "stream": 1}
        with telling():
            given = self._client(PATIENT_S).attach_socket(container, params=wanted)
        return _channel(given, telling)

    def start(self, container: str) -> None:
        with self._telling("cannot start the test container"):
            self._client(PATIENT_S).start(container)

    def wait(self, container: str, *, timeout_s: float) -> Container | None:
        with self._telling("cannot wait for the test container"):
            try:
                self._client(PATIENT_S).wait(container, timeout=math.ceil(timeout_s))
            except errors.NotFound:
                return None
        return self.inspect(container)

    def sample(self, container: str) -> ResourceSample | None:
        with self._telling("cannot measure the test container"):
            try:
                raw = self._client().stats(container, stream=False, one_shot=True)
            except errors.NotFound:
                return None
        return read_resource_sample(raw)

    def execute(self, container: str, *command: str) -> int:
        code: int | None = None
        with self._telling("cannot run a command in the test container"), _gone_is_fine():
            client = self._client(PATIENT_S)
            asked = client.exec_create(container, list(command))
            with closing(
                _channel(client.exec_start(asked["Id"], socket=True), nullcontext)
            ) as said:
                while said.is_open and (said.read(PATIENT_S) or not said.is_open):
                    pass
            code = client.exec_inspect(asked["Id"])["ExitCode"]
        return -1 if code is None else code

    def kill(self, container: str) -> None:
        with self._telling("cannot kill the test container"), _gone_is_fine():
            self._client(PATIENT_S).kill(container)

    def keep(self, container: str, name: str) -> str:
        kept = f"{KEPT_PREFIX}{name}"
        with self._telling("cannot keep the test container"):
            self._client().rename(container, kept)
        return kept

    def discard(self, container: str) -> None:
        with self._telling(f"cannot remove test container {container}"), _gone_is_fine():
            self._client(PATIENT_S).remove_container(container, v=True, force=True)

    def networks(self, *labels: str) -> tuple[NetworkFacts, ...]:
        with self._telling("cannot list the networks"):
            rows = self._client().networks(filters={"label": list(labels)})
        return tuple(NetworkFacts(raw["Id"], raw["Name"], raw["Labels"] or {}) for raw in rows)

    def create_network(self, name: str, labels: Mapping[str, str]) -> None:
        with self._telling(f"cannot create the test network {name}"):
            self._client(PATIENT_S).create_network(
                name, driver="bridge", internal=True, labels=dict(labels), check_duplicate=True
            )

    def remove_network(self, network: str) -> None:
        with self._telling(f"cannot remove the test network {network}"), _gone_is_fine():
            self._client(PATIENT_S).remove_network(network)


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Ignore a container or network that was removed, ended, is being removed or in use."""
    try:
        yield
    except errors.NotFound:
        return
    except errors.APIError as error:
        if error.status_code not in {CONFLICT, FORBIDDEN}:
            raise


def _channel(given: Any, telling: Callable[[], AbstractContextManager[None]]) -> SocketChannel:  # noqa: ANN401 - of the driver
    """Take the socket out of the file, and the file out of the answer, that the driver gives."""
    found = getattr(given, "_sock", given)
    if not isinstance(found, socket.socket):
        why = "the connection to this engine is not a socket"
        raise OpsctlError("cannot attach to the test container", why=why)

    def release() -> None:
        answer = getattr(given, "_response", None)
        for one in filter(None, (answer, given)):
            one.close()

    return SocketChannel(found, telling, release)


def read_image_facts(raw: Mapping[str, Any]) -> ImageFacts:
    config = raw.get("Config") or {}
    pairs = (entry.partition("=") for entry in config.get("Env") or ())
    return ImageFacts(
        id=raw["Id"],
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment={name: value for name, _, value in pairs},
        workdir=config.get("WorkingDir") or "",
        volumes=tuple(sorted(config.get("Volumes") or ())),
    )


def read_resource_sample(raw: Mapping[str, Any]) -> ResourceSample | None:
    """Read one answer of `stats`; that of a container which has ended is empty."""
    memory, cpu = raw.get("memory_stats") or {}, raw.get("cpu_stats") or {}
    if "usage" not in memory:
        return None
    # cgroup v2 tells the engine no peak.
    return ResourceSample(
        peak_memory_bytes=memory.get("max_usage"),
        cpu_s=cpu["cpu_usage"]["total_usage"] / 1e9,
        throttled_s=(cpu.get("throttling_data") or {}).get("throttled_time", 0) / 1e9,
    )
