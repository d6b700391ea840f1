"""The Docker Engine: its containers, images and disk usage."""

import math
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import docker
from docker import errors
from docker.constants import MINIMUM_DOCKER_API_VERSION
from requests import exceptions as http
from urllib3 import exceptions as wire

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.engine.containers import LOG_LINES
from opsctl.systems.engine.model import (
    Container,
    ContainerStats,
    EngineDisk,
    EngineVersion,
    Image,
    choose_api_version,
    choose_disk_usage_api,
    read_container,
    read_disk,
    read_image,
    read_stats,
)
from opsctl.systems.error_table import ErrorMeaning, meaning_of

UNIX = "unix://"
DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
# The first that names the content of an image; the driver's own default is older.
NEWEST_API_VERSION = "1.48"
DEADLINE_S = 2.0
# Logs, a second sample of the processor, a clean-up: the engine works, but takes its time.
PATIENT_S = 30.0
# The engine's own, for a container that has none.
STOP_TIMEOUT_S = 10
# The engine walks through every layer and volume to add up what they take.
DISK_USAGE_S = 120.0

STUCK_HINT = "Is it busy or stuck? Look at: journalctl -u docker"
START_HINT = "Start it: systemctl start docker"
GROUP_HINT = "Run with sudo, or join the group: sudo usermod -aG docker $USER, and log in again."
ADDRESS_HINT = "Set DOCKER_HOST, e.g. DOCKER_HOST=unix:///var/run/docker.sock"


BY_CLASS: dict[type[Exception], ErrorMeaning] = {
    errors.ImageNotFound: ErrorMeaning(OpsctlError, hint="List what there is: docker images"),
    errors.NotFound: ErrorMeaning(OpsctlError, hint="List what there is: docker ps --all"),
    errors.APIError: ErrorMeaning(OpsctlError),
    errors.TLSParameterError: ErrorMeaning(SettingsError, hint=ADDRESS_HINT),
    errors.InvalidVersion: ErrorMeaning(OpsctlError, hint="Update Docker Engine, or opsctl."),
    errors.InvalidRepository: ErrorMeaning(OpsctlError),
    errors.InvalidConfigFile: ErrorMeaning(SettingsError, hint="Look at ~/.docker/config.json"),
    errors.InvalidArgument: ErrorMeaning(OpsctlError),
    errors.NullResource: ErrorMeaning(OpsctlError),
    errors.DeprecatedMethod: ErrorMeaning(OpsctlError),
    errors.ContainerError: ErrorMeaning(OpsctlError),
    errors.StreamParseError: ErrorMeaning(OpsctlError),
    errors.BuildError: ErrorMeaning(OpsctlError),
    errors.ImageLoadError: ErrorMeaning(OpsctlError),
    errors.MissingContextParameter: ErrorMeaning(SettingsError, hint=ADDRESS_HINT),
    errors.ContextAlreadyExists: ErrorMeaning(SettingsError, hint=ADDRESS_HINT),
    errors.ContextNotFound: ErrorMeaning(SettingsError, hint=ADDRESS_HINT),
    errors.ContextException: ErrorMeaning(SettingsError, hint=ADDRESS_HINT),
    # What remains are addresses that the driver cannot parse.
    errors.DockerException: ErrorMeaning(SettingsError, hint=ADDRESS_HINT),
    http.ConnectTimeout: ErrorMeaning(UnreachableError, hint=STUCK_HINT),
    http.Timeout: ErrorMeaning(UnreachableError, hint=STUCK_HINT),
    http.ConnectionError: ErrorMeaning(UnreachableError, hint=START_HINT),
    http.RequestException: ErrorMeaning(UnreachableError, hint=ADDRESS_HINT),
    wire.TimeoutError: ErrorMeaning(UnreachableError, hint=STUCK_HINT),
    wire.HTTPError: ErrorMeaning(UnreachableError, hint=START_HINT),
    TimeoutError: ErrorMeaning(UnreachableError, hint=STUCK_HINT),
    # Too many others wait for it to accept them.
    BlockingIOError: ErrorMeaning(UnreachableError, hint=STUCK_HINT),
    OSError: ErrorMeaning(UnreachableError, hint=START_HINT),
}
DRIVER_ERRORS = tuple(BY_CLASS)


def translate(error: Exception, what: str, *, address: str = "") -> OpsctlError:
    meaning = meaning_of(type(error), BY_CLASS) or ErrorMeaning()
    if isinstance(error, errors.APIError):
        return meaning.error(what, why=(error.explanation or "").strip(), hint=meaning.hint)
    if meaning.error is not UnreachableError:
        return meaning.error(what, why=str(error), hint=meaning.hint)
    if meaning.hint == STUCK_HINT:
        why = f"the container engine at {address} did not answer"
        return UnreachableError(what, why=why, hint=STUCK_HINT)
    why, better_hint = _unreachable_cause(error, address)
    return UnreachableError(what, why=why, hint=better_hint or meaning.hint)


def _unreachable_cause(error: BaseException, address: str) -> tuple[str, str]:
    causes = tuple(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return f"this user may not talk to the container engine at {address}", GROUP_HINT
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return f"there is no container engine at {address}", ""
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"nothing listens at {address}", ""
    return f"the container engine at {address} closed the connection", ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk to what lies beneath; requests and urllib3 also keep it in `args`."""
    yield error
    for inner in (error.__cause__, error.__context__, *error.args):
        if isinstance(inner, BaseException) and inner is not error:
            yield from _causes(inner)


def check_socket(address: str, deadline_s: float) -> None:
    """Try to connect to a local engine first: the driver leaks its socket when that fails."""
    if not address.startswith(UNIX):
        return
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(deadline_s)
        connection.connect(f"/{address.removeprefix(UNIX).lstrip('/')}")


class DockerContainers:
    """A Docker Engine; the connection is made on first use."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        deadline_s: float = DEADLINE_S,
        patience_s: float = PATIENT_S,
    ) -> None:
        self._address = address
        self._deadline_s = deadline_s
        self._patience_s = patience_s
        self._clients: dict[tuple[float, str], docker.APIClient] = {}
        self._api = ""
        self._newest_api = ""

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def version(self) -> EngineVersion:
        with self._telling("cannot read the version of the container engine"):
            raw = self._client().version()
        return EngineVersion(raw["Version"], raw["ApiVersion"], raw["Os"], raw["Arch"])

    def now(self) -> datetime:
        with self._telling("cannot read the time of the container engine"):
            return datetime.fromisoformat(self._client().info()["SystemTime"])

    def find(self, *labels: str) -> tuple[Container, ...]:
        with self._telling("cannot list the containers"):
            rows = self._client().containers(all=True, filters={"label": list(labels)})
        found = (self.inspect(row["Id"]) for row in rows)
        # One that went away between the two questions is not there.
        return tuple(sorted((one for one in found if one), key=lambda one: one.name))

    def inspect(self, container: str) -> Container | None:
        raw = self._inspected(container)
        return read_container(raw) if raw else None

    def environment(self, container: str) -> Mapping[str, str]:
        raw = self._inspected(container)
        if raw is None:
            raise OpsctlError(f"cannot read the environment of {container}", why="it is gone")
        pairs = (entry.partition("=") for entry in raw["Config"]["Env"] or ())
        return {name: value for name, _, value in pairs}

    def _inspected(self, container: str) -> Mapping[str, Any] | None:
        with self._telling(f"cannot inspect container {container}"):
            try:
                raw: Mapping[str, Any] = self._client().inspect_container(container)
            except errors.NotFound:
                return None
        return raw

    def logs(self, container: str, *, lines: int = LOG_LINES) -> str:
        with self._telling(f"cannot read the logs of {container}"):
            said = self._client(self._patience_s).logs(container, tail=lines)
        return said.decode(errors="replace")

    def stats(self, container: str) -> ContainerStats:
        with self._telling(f"cannot measure {container}"):
            return read_stats(self._client(self._patience_s).stats(container, stream=False))

    def restart(self, container: str, *, stop_timeout_s: int | None = None) -> Container:
        what = f"cannot restart {container}"
        before = self._present(container, what)
        if stop_timeout_s is None:
            stop_timeout_s = self._own_stop_timeout_s(container)
        with self._telling(what):
            try:
                # The client adds the time to stop to its own.
                self._client(self._patience_s).restart(before.id, timeout=stop_timeout_s)
            except http.Timeout:
                # The engine may have done it all the same.
                if self._present(container, what).started_at == before.started_at:
                    raise
        return self._present(container, what)

    def _own_stop_timeout_s(self, container: str) -> int:
        raw = self._inspected(container) or {}
        own = (raw.get("Config") or {}).get("StopTimeout")
        return STOP_TIMEOUT_S if own is None else int(own)

    def _present(self, container: str, what: str) -> Container:
        found = self.inspect(container)
        if found is None:
            raise OpsctlError(what, why="there is no such container")
        return found

    def unpause(self, container: str) -> None:
        what = f"cannot unpause container {container}"
        if self._present(container, what).state == "paused":
            with self._telling(what):
                self._client(self._patience_s).unpause(container)

    def remove(self, container: str, *, force: bool = False) -> None:
        with self._telling(f"cannot remove container {container}"):
            try:
                self._client(self._patience_s).remove_container(container, v=False, force=force)
            except errors.NotFound:
                return

    def image_id(self, name: str) -> str | None:
        with self._telling(f"cannot inspect image {name}"):
            try:
                raw = self._client().inspect_image(name)  # type: ignore[no-untyped-call]  # stub
            except errors.NotFound:
                return None
        found: str = raw["Id"]
        return found

    def images(self) -> tuple[Image, ...]:
        with self._telling("cannot list the images"):
            return tuple(read_image(raw) for raw in self._client(self._patience_s).images())

    def disk_usage(self) -> EngineDisk:
        with self._telling("cannot read the disk usage of the container engine"):
            self._agree()
            api = choose_disk_usage_api(self._newest_api, chosen=self._api)
            return read_disk(self._opened(DISK_USAGE_S, api).df())

    def _client(self, timeout_s: float | None = None) -> docker.APIClient:
        self._agree()
        return self._opened(timeout_s or self._deadline_s, self._api)

    def _agree(self) -> None:
        """Agree on a protocol, once."""
        if self._api:
            return
        check_socket(self._address, self._deadline_s)
        said = self._opened(self._deadline_s, MINIMUM_DOCKER_API_VERSION).version(api_version=False)
        newest = said.get("ApiVersion")
        if not newest:
            why = f"what answers at {self._address} is not a Docker Engine"
            raise UnreachableError("cannot talk to the container engine", why=why)
        oldest = said.get("MinAPIVersion", MINIMUM_DOCKER_API_VERSION)
        self._newest_api = newest
        self._api = choose_api_version(newest, oldest, ours=NEWEST_API_VERSION)
        self.close()

    def _opened(self, timeout_s: float, api: str) -> docker.APIClient:
        if (timeout_s, api) not in self._clients:
            client = docker.APIClient(self._address, version=api, timeout=math.ceil(timeout_s))
            # The way to the engine is never through a proxy.
            client.trust_env = False
            self._clients[timeout_s, api] = client
        return self._clients[timeout_s, api]

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            raise translate(error, what, address=self._address) from error
