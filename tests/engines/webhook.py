"""A small real web server that receives webhooks, and answers as the test sets it up."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass(slots=True)
class WebhookServer:
    """The requests it received, and how it answers."""

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
def webhook_server() -> Iterator[WebhookServer]:
    webhook = WebhookServer()
    handler = type("Handler", (_WebhookHandler,), {"webhook": webhook})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    webhook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield webhook
    webhook.stopped.set()
    server.shutdown()
    server.server_close()
    thread.join()


class _WebhookHandler(BaseHTTPRequestHandler):
    webhook: WebhookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.webhook.is_mute:
            self.webhook.stopped.wait(30)
            return
        if self.webhook.status < 300:
            self.webhook.bodies.append(body)
            self.webhook.ids.append(self.headers["idempotency-key"])
        with contextlib.suppress(OSError):
            self._answer()

    def _answer(self) -> None:
        self.send_response(self.webhook.status)
        for name, value in {"content-length": "0", **self.webhook.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Log nothing."""
