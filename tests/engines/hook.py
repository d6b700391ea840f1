"""A small real web server that takes webhooks, or does what the test wants of it."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass(slots=True)
class Hook:
    """What came, and how the server answers."""

    port: int = 0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_mute: bool = False
    bodies: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T0/B0/c4n4ry"


@pytest.fixture
def hook() -> Iterator[Hook]:
    box = Hook()
    handler = type("Handler", (_Taker,), {"box": box})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    box.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield box
    box.stopped.set()
    server.shutdown()
    server.server_close()
    thread.join()


class _Taker(BaseHTTPRequestHandler):
    box: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.box.is_mute:
            self.box.stopped.wait(30)
            return
        if self.box.status < 300:
            self.box.bodies.append(body)
            self.box.ids.append(self.headers["idempotency-key"])
        with contextlib.suppress(OSError):
            self._answer()

    def _answer(self) -> None:
        self.send_response(self.box.status)
        for name, value in {"content-length": "0", **self.box.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Keep quiet."""
