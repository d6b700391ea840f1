"""A small real SMTP server that takes letters, or does what the test wants of it."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

END = b"\r\n"


@dataclass(slots=True)
class Postbox:
    """What came, and how the server behaves."""

    port: int = 0
    letters: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    """Verb to the line that answers it, in place of the usual one."""
    is_mute: bool = False
    trust: ssl.SSLContext | None = None
    is_secure_at_once: bool = False
    overheard: set[str] = field(default_factory=set)
    """Verbs that came in plain."""
    stopped: threading.Event = field(default_factory=threading.Event)


class _Talk(socketserver.StreamRequestHandler):
    server: "_Server"
    _sender: str
    _to: list[str]

    def handle(self) -> None:
        box = self.server.box
        if box.is_mute:
            box.stopped.wait(30)
            return
        self._sender, self._to = "", []
        if box.trust is not None and box.is_secure_at_once:
            self._encrypt(box.trust)
        self._say(box.answers.get("CONNECT", b"220 box"))
        while line := self.rfile.readline():
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self._say(b"221 bye")
                return
            if not isinstance(self.connection, ssl.SSLSocket):
                box.overheard.add(verb.upper())
            self._answer(verb.upper(), rest)

    def _answer(self, verb: str, rest: str) -> None:
        box = self.server.box
        if verb in box.answers:
            self._say(box.answers[verb])
        elif verb == "EHLO":
            self._say(b"250-box\r\n250-STARTTLS\r\n250 AUTH PLAIN" if box.trust else b"250 box")
        elif verb == "STARTTLS" and box.trust is not None:
            self._say(b"220 go on")
            self._encrypt(box.trust)
        elif verb == "AUTH":
            box.logins.append(rest)
            self._say(b"235 welcome")
        elif verb == "DATA":
            self._take()
        else:
            self._note(verb, rest)
            self._say(b"250 ok")

    def _note(self, verb: str, rest: str) -> None:
        if verb == "MAIL":
            self._sender, self._to = rest.partition("<")[2].partition(">")[0], []
        elif verb == "RCPT":
            self._to.append(rest.partition("<")[2].partition(">")[0])

    def _take(self) -> None:
        self._say(b"354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        self.server.box.letters.append((self._sender, self._to, b"".join(lines)))
        self._say(self.server.box.answers.get("END", b"250 taken"))

    def _encrypt(self, trust: ssl.SSLContext) -> None:
        self.connection = trust.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + END)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.connection.close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, box: Postbox) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.box = box
        box.port = self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no trouble of the server."""


@pytest.fixture
def make_postbox() -> Iterator[Callable[..., Postbox]]:
    started: list[tuple[_Server, threading.Thread]] = []

    def make(trust: ssl.SSLContext | None = None, *, is_secure_at_once: bool = False) -> Postbox:
        server = _Server(Postbox(trust=trust, is_secure_at_once=is_secure_at_once))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        started.append((server, thread))
        return server.box

    yield make
    for server, thread in started:
        server.box.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def postbox(make_postbox: Callable[..., Postbox]) -> Postbox:
    return make_postbox()
