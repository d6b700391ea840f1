"""One HTTP request as it arrives on a socket: its head, and its body where that is needed."""

import socket
from dataclasses import dataclass, field

READ_BYTES = 65_536
HEAD_LIMIT_BYTES = 1024 * 1024
BODY_LIMIT_BYTES = 64 * 1024 * 1024


class BrokenRequestError(Exception):
    """A request that ended too early, or is none."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request, and what has arrived of its body."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.casefold() == name), "")

    def encode(self) -> bytes:
        """Write it for a server that is to close the connection after its answer."""
        kept = [(key, value) for key, value in self.headers if key.casefold() != "connection"]
        connection = "Upgrade, close" if self.header("upgrade") else "close"
        kept.append(("Connection", connection))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in kept)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def read_request(client: socket.socket) -> Request:
    head, received = _read_until(client, b"", b"\r\n\r\n", HEAD_LIMIT_BYTES)
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, path, _ = first.split(" ")
    except ValueError:
        raise BrokenRequestError from None
    pairs = (line.partition(":") for line in lines if line)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    return Request(method, path, headers, received)


def read_whole_body(client: socket.socket, request: Request) -> tuple[Request, bytes]:
    """Wait for all of the body; return the request with it, and its content."""
    if request.header("transfer-encoding").casefold() == "chunked":
        return _read_chunks(client, request)
    length, body = int(request.header("content-length") or 0), request.body
    while len(body) < min(length, BODY_LIMIT_BYTES):
        body += _receive(client)
    return Request(request.method, request.path, request.headers, body), body[:length]


def _read_chunks(client: socket.socket, request: Request) -> tuple[Request, bytes]:
    raw, content, rest = b"", b"", request.body
    while True:
        line, rest = _read_until(client, rest, b"\r\n", HEAD_LIMIT_BYTES)
        size = int(line.partition(b";")[0], 16)
        while len(rest) < size + 2:
            rest += _receive(client)
        raw += line + b"\r\n" + rest[: size + 2]
        content, rest = content + rest[:size], rest[size + 2 :]
        if not size:
            return Request(request.method, request.path, request.headers, raw + rest), content
        if len(content) > BODY_LIMIT_BYTES:
            raise BrokenRequestError


def _read_until(client: socket.socket, data: bytes, end: bytes, limit: int) -> tuple[bytes, bytes]:
    while end not in data:
        if len(data) > limit:
            raise BrokenRequestError
        data += _receive(client)
    head, _, rest = data.partition(end)
    return head, rest


def _receive(client: socket.socket) -> bytes:
    data = client.recv(READ_BYTES)
    if not data:
        raise BrokenRequestError
    return data
