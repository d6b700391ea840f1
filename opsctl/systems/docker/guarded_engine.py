"""A proxy before a Docker Engine, which refuses the changes that were not allowed.

It listens on a socket without a file, which the kernel removes with this process, and serves only
this user. Each connection carries one call, so that no call can pass behind another one.
"""

import json
import os
import selectors
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from opsctl.errors import SettingsError
from opsctl.systems.docker.engine_api import (
    RequestedChange,
    inspect_path,
    needs_body,
    read_change,
    read_description,
)
from opsctl.systems.docker.http_request import (
    READ_BYTES,
    BrokenRequestError,
    Request,
    read_request,
    read_whole_body,
)
from opsctl.systems.engine.compose_labels import PROJECT_LABEL, SERVICE_LABEL
from opsctl.systems.engine.guarded_engine import (
    AllowedCalls,
    CallTarget,
    EngineCall,
    GuardedEngine,
    is_allowed,
)

UNIX, TCP = "unix", "tcp"
BACKLOG = 128
CONNECT_S = 10.0
ASK_S = 60.0
DRAIN_S = 2.0
JOIN_S = 2.0
CONFLICT, UNAVAILABLE, NOT_FOUND = 409, 503, 404
REASONS = {CONFLICT: "Conflict", UNAVAILABLE: "Service Unavailable"}
NOT_DESCRIBED = frozenset({CallTarget.IMAGE, CallTarget.ENGINE})
# How a call ends that was cut off; who asked has gone, or sees it by itself.
BROKEN = (OSError, ValueError, BrokenRequestError, HTTPException)
CREDENTIALS = struct.Struct("3i")


def connect(engine: str) -> socket.socket:
    """Connect to the engine at an address like `unix:///var/run/docker.sock`."""
    scheme, _, rest = engine.partition("://")
    if scheme == UNIX:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(CONNECT_S)
            connection.connect(f"/{rest.lstrip('/')}")
        except BaseException:
            connection.close()
            raise
    else:
        parts = urlsplit(engine)
        connection = socket.create_connection((parts.hostname, parts.port), CONNECT_S)
    connection.settimeout(None)
    return connection


class EngineProxy:
    """The proxy while it runs; each connection has a thread, and all end with the process."""

    def __init__(self, engine: str, allowed: AllowedCalls) -> None:
        self._engine = engine
        self._allowed = allowed
        self._refused: list[EngineCall] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_closed = False
        self._listener = socket.socket(socket.AF_UNIX)
        # Without a name the kernel chooses one that no file stands for.
        self._listener.bind("")
        self._listener.listen(BACKLOG)
        self._thread = threading.Thread(target=self._accept, name="engine-proxy", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        name: bytes = self._listener.getsockname()
        return f"{UNIX}://@{name[1:].decode()}"

    @property
    def refused(self) -> tuple[EngineCall, ...]:
        with self._lock:
            return tuple(self._refused)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            connections = [self._listener, *self._open]
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(JOIN_S)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                if self._is_closed:
                    return
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            suppress(OSError, ValueError, BrokenRequestError, HTTPException),
            self._tracked(client),
        ):
            if _peer_user(client) not in {0, os.getuid()}:
                return
            request = read_request(client)
            change = read_change(request.method, request.path)
            if change is not None and needs_body(request.method, request.path):
                request, body = read_whole_body(client, request)
                change = read_change(request.method, request.path, body)
            self._answer(client, request, change)

    def _answer(
        self, client: socket.socket, request: Request, change: RequestedChange | None
    ) -> None:
        try:
            call = self._describe(request, change) if change else None
            if call is not None and not is_allowed(call, self._allowed):
                self._refuse(client, call)
                return
            engine = connect(self._engine)
        except OSError:
            _reply(client, UNAVAILABLE, f"no container engine answers at {self._engine}")
            return
        with self._tracked(engine):
            engine.sendall(request.encode())
            relay(client, engine)

    def _describe(self, request: Request, change: RequestedChange) -> EngineCall | None:
        """Find out what an id means; None for what the engine does not have."""
        if change.labels is not None:
            return _engine_call(change, change.reference, change.labels)
        if change.target in NOT_DESCRIBED:
            return EngineCall(change.target, change.action, change.reference)
        connection = HTTPConnection("docker", timeout=ASK_S)
        connection.sock = connect(self._engine)
        try:
            connection.sock.settimeout(ASK_S)
            connection.request("GET", inspect_path(change, request.path))
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status == NOT_FOUND:
            return None
        return _engine_call(change, *read_description(text))

    def _refuse(self, client: socket.socket, call: EngineCall) -> None:
        with self._lock:
            self._refused.append(call)
        _reply(client, CONFLICT, f"opsctl refused it, the plan does not have it: {call}")

    @contextmanager
    def _tracked(self, connection: socket.socket) -> Iterator[None]:
        with connection:
            with self._lock:
                if self._is_closed:
                    raise BrokenRequestError
                self._open.add(connection)
            try:
                yield
            finally:
                with self._lock:
                    self._open.discard(connection)


def _engine_call(change: RequestedChange, name: str, labels: Mapping[str, str]) -> EngineCall:
    return EngineCall(
        change.target,
        change.action,
        name,
        service=labels.get(SERVICE_LABEL, ""),
        project=labels.get(PROJECT_LABEL, ""),
    )


def _peer_user(client: socket.socket) -> int:
    raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(raw)[1])


def _reply(client: socket.socket, status: int, message: str) -> None:
    text = json.dumps({"message": message}).encode()
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    )
    client.sendall(head.encode() + text)
    # Closing with something unread in it could take the answer away from the caller.
    client.shutdown(socket.SHUT_WR)
    client.settimeout(DRAIN_S)
    while client.recv(READ_BYTES):
        pass


def relay(client: socket.socket, engine: socket.socket) -> None:
    """Pass bytes on in both directions until the engine has ended."""
    partner = {client: engine, engine: client}
    with selectors.DefaultSelector() as selector:
        for connection in partner:
            selector.register(connection, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                source = client if key.fileobj is client else engine
                data = source.recv(READ_BYTES)
                if data:
                    partner[source].sendall(data)
                    continue
                if source is engine:
                    return
                selector.unregister(source)
                engine.shutdown(socket.SHUT_WR)


class DockerEngineGuard:
    """Guards Docker Engines by a proxy."""

    @contextmanager
    def guard(self, engine: str, allowed: AllowedCalls) -> Iterator[GuardedEngine]:
        if engine.partition("://")[0] not in {UNIX, TCP}:
            raise SettingsError(
                f"cannot use the engine {engine!r}",
                why="an engine is reached by unix:// or ssh://",
                hint="Set DOCKER_HOST, e.g. DOCKER_HOST=unix:///var/run/docker.sock",
            )
        proxy = EngineProxy(engine, allowed)
        try:
            yield proxy
        finally:
            proxy.close()
