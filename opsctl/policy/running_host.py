"""Inspects the running host: what listens, who is connected, how containers are limited."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from opsctl.errors import OpsctlError
from opsctl.policy.context import LivePolicyContext
from opsctl.settings.sections.policy import Policy

if TYPE_CHECKING:
    from opsctl.systems.engine.model import Container
    from opsctl.systems.host import Connection, Listener

T = TypeVar("T")

# Every client but ourselves, as PostgreSQL and Redis see it: also past Docker's forwarding.
_CLIENTS = "SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE client_addr IS NOT NULL"


@dataclass(frozen=True, slots=True)
class DatabaseClient:
    """Someone who is connected to a database."""

    database: str
    address: str


@dataclass(frozen=True, slots=True)
class RunningContainer:
    container: "Container"
    app_env: str | None


@dataclass(frozen=True)
class RunningHost:
    """The running host at one moment; `unread_parts` are the parts that could not be read."""

    policy: Policy
    database_ports: tuple[int, ...] = ()
    listeners: tuple["Listener", ...] = ()
    datagrams: tuple["Listener", ...] = ()
    connections: tuple["Connection", ...] = ()
    interfaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    containers: tuple[RunningContainer, ...] = ()
    clients: tuple[DatabaseClient, ...] = ()
    open_ports: tuple[tuple[str, int], ...] = ()
    unread_parts: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class HostInspector:
    context: LivePolicyContext
    unread_parts: list[tuple[str, str]] = field(default_factory=list)

    def look(self) -> RunningHost:
        host = self.context.host
        return RunningHost(
            policy=self.context.settings.policy,
            database_ports=self.context.settings.deploy.database_ports,
            listeners=self._asked("the listening TCP ports", host.listeners),
            datagrams=self._asked("the UDP ports that are taken", host.datagrams),
            connections=self._asked("the open connections", host.connections),
            interfaces=dict(self._asked("the interfaces", lambda: tuple(host.addresses().items()))),
            containers=tuple(self._containers()),
            clients=(*self._postgres(), *self._redis()),
            open_ports=tuple(self._open_ports()),
            unread_parts=tuple(self.unread_parts),
        )

    def _asked(self, what: str, ask: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
        try:
            return ask()
        except OpsctlError as error:
            self._tell(what, error)
            return ()

    def _tell(self, what: str, error: OpsctlError) -> None:
        self.unread_parts.append((what, f"{error.what}: {error.why}" if error.why else error.what))

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except OpsctlError as error:
            self._tell(what, error)

    def _containers(self) -> Iterator[RunningContainer]:
        containers = self.context.containers
        for one in self._asked("the containers", containers.find):
            if one.state == "running":
                with self._telling(f"container {one.name}"):
                    yield RunningContainer(one, containers.environment(one.id).get("APP_ENV"))

    def _postgres(self) -> Iterator[DatabaseClient]:
        if not self.context.settings.database.url.get_secret_value():
            return
        with (
            self._telling("the clients of PostgreSQL"),
            self.context.postgres.session(read_only=True) as session,
        ):
            for (address,) in session.query(_CLIENTS):
                yield DatabaseClient("PostgreSQL", str(address))

    def _redis(self) -> Iterator[DatabaseClient]:
        if not self.context.settings.redis.enabled:
            return
        with self._telling("the clients of Redis"):
            for address in parse_client_addresses(self.context.redis.call("CLIENT", "LIST")):
                yield DatabaseClient("Redis", address)

    def _open_ports(self) -> Iterator[tuple[str, int]]:
        policy = self.context.settings.policy
        for host in policy.public_hosts:
            with self._telling(f"the ports of {host}"):
                for port in self.context.settings.deploy.database_ports:
                    if self.context.ports.is_open(host, port, limit_s=policy.port_timeout_s):
                        yield host, port


def parse_client_addresses(value: object) -> tuple[str, ...]:
    """Read the addresses from `CLIENT LIST`; those on a socket of the machine have none."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    words = (word for line in text.splitlines() for word in line.split())
    found = (
        word.removeprefix("addr=").rpartition(":")[0] for word in words if word.startswith("addr=")
    )
    return tuple(dict.fromkeys(address.strip("[]") for address in found if address))
