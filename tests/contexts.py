"""A small real web server for one test: right, wrong, slow and over TLS."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"
CANARY = "c4n4ry-of-http"
"""What no log and no error may show."""


class Site(BaseHTTPRequestHandler):
    """A small site that answers as each path asks, and drips where it is told to."""

    protocol_version = "HTTP/1.1"
    seen: list[dict[str, str]]
    done: threading.Event

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        page: Callable[[], None] = getattr(
            self, self.path.strip("/").partition("?")[0], self.missing
        )
        with contextlib.suppress(OSError):
            page()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.answer(200, body)

    def well(self) -> None:
        self.answer(200, b"well")

    def missing(self) -> None:
        self.answer(404, b"missing")

    def elsewhere(self) -> None:
        self.answer(302, b"", {"location": f"http://elsewhere.invalid/{CANARY}"})

    def cookie(self) -> None:
        self.answer(200, b"", {"set-cookie": CANARY})

    def dripping_headers(self) -> None:
        self.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000)

    def dripping_body(self) -> None:
        self.drip(b"x" * 10_000, head=b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")

    def silent(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nshort")
        self.done.wait(60)
        self.close_connection = True

    def cut(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nshort")
        self.close_connection = True

    def nonsense(self) -> None:
        self.wfile.write(b"+PONG\r\n\r\n")
        self.close_connection = True

    def drip(self, text: bytes, *, head: bytes = b"") -> None:
        self.wfile.write(head)
        for byte in text:
            if self.done.wait(0.05):
                break
            self.wfile.write(bytes([byte]))
        self.close_connection = True

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response_only(status)
        fixed = {"Date": DATE, "Content-Length": str(len(body))}
        for name, value in (fixed | dict(headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Keep quiet: the test reads what the client logs."""


@dataclass(frozen=True)
class Running:
    port: int
    seen: list[dict[str, str]]

    def url(self, path: str = "/well", *, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def running(trust: ssl.SSLContext | None = None) -> Iterator[Running]:
    seen: list[dict[str, str]] = []
    done = threading.Event()
    handler = type("Handler", (Site,), {"seen": seen, "done": done})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    if trust is not None:
        server.socket = trust.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client may hang up
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Running(server.server_port, seen)
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()
