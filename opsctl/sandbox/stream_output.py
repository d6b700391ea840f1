"""Reads a container's output to its end and passes it on, limited in rate and amount."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.systems.engine.capped_container import ContainerChannel, OutputPiece, OutputStream

if TYPE_CHECKING:
    from opsctl.systems.clock import Clock

OnOutput = Callable[[OutputPiece], None]
LAST_BYTES = 64 * 1024
# One longer look than this would be late to see that the time is up.
READ_S = 0.5
# Nobody waits for the first of it.
BURST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """How much is shown, and how fast it is taken."""

    shown_bytes: int
    bytes_per_s: float


class OutputReader:
    """Passes on what the command says, and keeps back what the entrypoint reports at the end."""

    def __init__(self, on_output: OnOutput, bounds: OutputLimits, mark: bytes) -> None:
        self._on_output = on_output
        self._bounds = bounds
        self._mark = mark
        self._held = b""
        self._tail = bytearray()
        self._words: bytearray | None = None
        self.heard_bytes = 0
        self.dropped_bytes = 0

    @property
    def last_output(self) -> str:
        return bytes(self._tail[-LAST_BYTES:]).decode(errors="replace")

    @property
    def last_words(self) -> str:
        return bytes(self._words or b"").decode(errors="replace")

    def take(self, piece: OutputPiece) -> None:
        if piece.stream is OutputStream.ERROR:
            data = self._without_words(piece.data)
            self._pass_on(OutputPiece(OutputStream.ERROR, data))
        else:
            self._pass_on(piece)

    def end(self) -> None:
        """Pass on what looked like the beginning of last words, and was not."""
        held, self._held = self._held, b""
        self._pass_on(OutputPiece(OutputStream.ERROR, held))

    def _without_words(self, data: bytes) -> bytes:
        if self._words is not None:
            self._words += data
            return b""
        data, self._held = self._held + data, b""
        before, mark, after = data.partition(self._mark)
        if mark:
            self._words = bytearray(after)
            return before
        begun = _partial_mark_length(before, self._mark)
        if begun:
            self._held = before[-begun:]
            before = before[:-begun]
        return before

    def _pass_on(self, piece: OutputPiece) -> None:
        if not piece.data:
            return
        room = max(0, self._bounds.shown_bytes - self.heard_bytes)
        self.heard_bytes += len(piece.data)
        self.dropped_bytes += max(0, len(piece.data) - room)
        self._tail += piece.data[-LAST_BYTES:]
        if len(self._tail) > 2 * LAST_BYTES:
            del self._tail[:-LAST_BYTES]
        if room:
            self._on_output(OutputPiece(piece.stream, piece.data[:room]))


def _partial_mark_length(data: bytes, mark: bytes) -> int:
    """Count how many bytes at the end may be the beginning of the mark."""
    longest = min(len(data), len(mark) - 1)
    return next((n for n in range(longest, 0, -1) if data.endswith(mark[:n])), 0)


def read_output(
    channel: ContainerChannel, reader: OutputReader, clock: "Clock", *, until: float, pace: float
) -> bool:
    """Hear until it has ended, or the time is up (False); take no more than `pace` bytes a second.

    What is not taken fills the pipe, and the command waits: a flood costs the host nothing.
    """
    began, taken = clock.steady(), 0
    while channel.is_open:
        left = until - clock.steady()
        if left <= 0:
            return False
        for piece in channel.read(min(left, READ_S)):
            taken += len(piece.data)
            reader.take(piece)
        ahead = (taken - BURST_BYTES) / pace - (clock.steady() - began)
        if ahead > 0:
            clock.sleep(min(ahead, READ_S))
    return True
