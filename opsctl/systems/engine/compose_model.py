"""A compose project as compose understands it: one form for each thing, figures as numbers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose_resources import DeclaredResource, read_resources
from opsctl.systems.engine.compose_secrets import (
    DeclaredSecret,
    public_words,
    read_declared_secrets,
    secret_values,
)
from opsctl.systems.engine.compose_variables import UnsetVariable


@dataclass(frozen=True, slots=True)
class Port:
    target: int
    published: int | None = None
    """None: the engine chooses one."""
    host_ip: str = ""
    """Empty: every address of the host."""
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Volume:
    kind: str
    """volume, bind, tmpfs ..."""
    target: str
    source: str = ""
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    context: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    args: Mapping[str, str | None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps of a service, wherever the file sets them; None is no cap."""

    memory_bytes: int | None = None
    swap_bytes: int | None = None
    """Memory and swap together; without it twice the memory may be used."""
    cpus: float | None = None
    pids: int | None = None


@dataclass(frozen=True, slots=True)
class LoggingOptions:
    """Where a service's output goes; an empty driver is the engine's own choice."""

    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    image: str = ""
    build: Build | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    """Secrets are in clear here; None takes the value of the shell."""
    command: tuple[str, ...] = field(default=(), repr=False)
    entrypoint: tuple[str, ...] | None = field(default=None, repr=False)
    """None: the image's own."""
    ports: tuple[Port, ...] = ()
    volumes: tuple[Volume, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    depends_on: Mapping[str, str] = field(default_factory=dict)
    """Service to condition."""
    networks: tuple[str, ...] = ()
    network_mode: str = ""
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    userns_mode: str = ""
    user: str = ""
    working_dir: str = ""
    restart: str = ""
    pull_policy: str = ""
    container_name: str = ""
    cap_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    device_cgroup_rules: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    is_privileged: bool = False
    is_read_only: bool = False
    has_healthcheck: bool = False
    replicas: int = 1
    caps: Caps = Caps()
    logging: LoggingOptions = field(default_factory=LoggingOptions)


@dataclass(frozen=True, slots=True)
class RenderedProject:
    name: str
    services: Mapping[str, Service]
    volumes: tuple[str, ...] = ()
    """Names of the engine's volumes, those of others included."""
    networks: Mapping[str, str] = field(default_factory=dict)
    """Network to its name in the engine, those of others included."""
    text: str = field(default="", repr=False)
    """What compose printed; a compose file in itself, secrets in clear."""
    unset_variables: tuple[UnsetVariable, ...] = ()
    """Variables that it uses, and that compose replaced by nothing."""
    declared_secrets: tuple[DeclaredSecret, ...] = ()
    declared_volumes: tuple[DeclaredResource, ...] = ()
    declared_networks: tuple[DeclaredResource, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values to mask in all output; those of `declared_secrets` are read elsewhere."""
        services = self.services.values()
        images = (service.image for service in services)
        public = frozenset(public_words((self.name, *self.services, *self.volumes, *images)))
        given = [service.environment for service in services]
        given += [service.build.args for service in services if service.build]
        found = (value for values in given for value in secret_values(values, public=public))
        return tuple(dict.fromkeys(found))


def read_rendered(text: str) -> RenderedProject:
    """Read `compose config --format json`."""
    try:
        raw = _undoubled(json.loads(text))
        services = raw.get("services") or {}
        return RenderedProject(
            name=raw["name"],
            services={name: _service(name, one) for name, one in services.items()},
            volumes=tuple(one["name"] for one in (raw.get("volumes") or {}).values()),
            networks={key: one["name"] for key, one in (raw.get("networks") or {}).items()},
            text=text,
            declared_secrets=read_declared_secrets(raw.get("secrets")),
            declared_volumes=read_resources(raw.get("volumes")),
            declared_networks=read_resources(raw.get("networks")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        # Its text and its cause would quote the project, passwords included.
        what = "cannot read the project that docker compose rendered"
        why = "it has a form that opsctl does not know"
        raise OpsctlError(what, why=why, hint="Try another version of docker compose.") from None


def _undoubled(value: Any) -> Any:  # noqa: ANN401 - any piece of a JSON document
    """Take back `$$`, which compose writes so that its output can be its input."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [_undoubled(item) for item in value]
    if isinstance(value, dict):
        return {name: _undoubled(item) for name, item in value.items()}
    return value


def _service(name: str, raw: Mapping[str, Any]) -> Service:
    return Service(
        name=name,
        image=raw.get("image") or "",
        build=_build(raw.get("build")),
        environment=mapping(raw.get("environment")),
        command=_words(raw.get("command")),
        entrypoint=None if raw.get("entrypoint") is None else _words(raw["entrypoint"]),
        ports=tuple(port for one in raw.get("ports") or () for port in _ports(one)),
        volumes=tuple(_volume(one) for one in raw.get("volumes") or ()),
        labels={key: value or "" for key, value in mapping(raw.get("labels")).items()},
        profiles=_words(raw.get("profiles")),
        depends_on=_conditions(raw.get("depends_on")),
        networks=tuple(raw.get("networks") or ()),
        cap_add=_words(raw.get("cap_add")),
        security_opt=_words(raw.get("security_opt")),
        devices=tuple(_device(one) for one in raw.get("devices") or ()),
        device_cgroup_rules=_words(raw.get("device_cgroup_rules")),
        expose=_words(raw.get("expose")),
        is_privileged=bool(raw.get("privileged")),
        is_read_only=bool(raw.get("read_only")),
        has_healthcheck=_is_checked(raw.get("healthcheck")),
        replicas=_replicas(raw),
        caps=_caps(raw),
        logging=_logging(raw.get("logging")),
        **{key: str(raw.get(key) or "") for key in PLAIN},
    )


# Keys that are taken over as they are.
PLAIN = (
    "network_mode",
    "pid",
    "ipc",
    "uts",
    "userns_mode",
    "user",
    "working_dir",
    "restart",
    "pull_policy",
    "container_name",
)


def mapping(raw: Mapping[str, Any] | list[str] | None) -> dict[str, str | None]:
    """Read either form, `{A: b}` or `["A=b", "A"]`."""
    if isinstance(raw, Mapping):
        return {name: None if value is None else str(value) for name, value in raw.items()}
    pairs = (entry.partition("=") for entry in raw or ())
    return {name: value if sign else None for name, sign, value in pairs}


def _words(raw: list[Any] | str | None) -> tuple[str, ...]:
    return (raw,) if isinstance(raw, str) else tuple(str(word) for word in raw or ())


def _build(raw: Mapping[str, Any] | str | None) -> Build | None:
    if raw is None:
        return None
    if isinstance(raw, str):
        return Build(raw)
    dockerfile = raw.get("dockerfile") or "Dockerfile"
    target, args = raw.get("target") or "", mapping(raw.get("args"))
    return Build(raw.get("context", "."), dockerfile, target, args)


def _ports(raw: Mapping[str, Any]) -> Iterator[Port]:
    """One for each number: a single port may be published as a range."""
    ip, protocol = raw.get("host_ip") or "", raw.get("protocol") or "tcp"
    first, _, last = str(raw.get("published") or "").partition("-")
    if not first:
        yield Port(int(raw["target"]), None, ip, protocol)
        return
    for number in range(int(first), int(last or first) + 1):
        yield Port(int(raw["target"]), number, ip, protocol)


def _volume(raw: Mapping[str, Any]) -> Volume:
    source = raw.get("source") or ""
    return Volume(raw["type"], raw["target"], source, is_read_only=bool(raw.get("read_only")))


def _device(raw: Mapping[str, Any] | str) -> str:
    return raw if isinstance(raw, str) else str(Path(raw["source"]))


def _conditions(raw: Mapping[str, Any] | list[str] | None) -> dict[str, str]:
    if isinstance(raw, Mapping):
        return {name: (one or {}).get("condition", "service_started") for name, one in raw.items()}
    return dict.fromkeys(raw or (), "service_started")


def _is_checked(raw: Mapping[str, Any] | None) -> bool:
    if not raw or raw.get("disable"):
        return False
    return _words(raw.get("test"))[:1] != ("NONE",)


def _replicas(raw: Mapping[str, Any]) -> int:
    wanted = (raw.get("deploy") or {}).get("replicas", raw.get("scale"))
    return 1 if wanted is None else int(wanted)


def _logging(raw: Mapping[str, Any] | None) -> LoggingOptions:
    found = raw or {}
    options = {name: value or "" for name, value in mapping(found.get("options")).items()}
    return LoggingOptions(found.get("driver") or "", options)


def _caps(raw: Mapping[str, Any]) -> Caps:
    limits = ((raw.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    return Caps(
        memory_bytes=_whole(raw.get("mem_limit") or limits.get("memory")),
        swap_bytes=_whole(raw.get("memswap_limit")),
        cpus=_figure(raw.get("cpus") or limits.get("cpus")),
        pids=_whole(raw.get("pids_limit") or limits.get("pids")),
    )


def _whole(raw: str | int | None) -> int | None:
    return int(raw) if raw else None


def _figure(raw: str | float | None) -> float | None:
    return float(raw) if raw else None
