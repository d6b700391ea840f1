"""The output of a capped container, read from one connection to the engine."""

import select
import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from opsctl.systems.engine.capped_container import OutputPiece, OutputStream

READ_BYTES = 65_536
_HEAD = struct.Struct(">BxxxL")


class Frames:
    """Takes apart what the engine puts together: frames of both streams, cut anywhere."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def take(self, data: bytes) -> tuple[OutputPiece, ...]:
        self._rest += data
        pieces = []
        while len(self._rest) >= _HEAD.size:
            stream, length = _HEAD.unpack_from(self._rest)
            end = _HEAD.size + length
            if len(self._rest) < end:
                break
            whose = OutputStream.ERROR if stream == OutputStream.ERROR else OutputStream.OUT
            pieces.append(OutputPiece(whose, bytes(self._rest[_HEAD.size : end])))
            del self._rest[:end]
        return tuple(pieces)


class SocketChannel:
    """The engine's own connection, taken over from the driver."""

    def __init__(
        self,
        connection: socket.socket,
        telling: Callable[[], AbstractContextManager[None]],
        release: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._telling = telling
        self._release = release
        self._frames = Frames()
        self._open = True
        connection.setblocking(False)  # noqa: FBT003 - the socket's own signature

    @property
    def is_open(self) -> bool:
        return self._open

    def read(self, timeout_s: float) -> tuple[OutputPiece, ...]:
        with self._telling():
            ready, _, _ = select.select([self._connection], [], [], max(0.0, timeout_s))
            if not ready:
                return ()
            data = self._connection.recv(READ_BYTES)
        self._open = bool(data)
        return self._frames.take(data)

    def send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError, BlockingIOError):
            return

    def close(self) -> None:
        self._open = False
        # The other side learns of it at once, whoever else still holds the connection.
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()
        self._release()
