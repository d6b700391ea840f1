"""What a command says is passed on, bounded; what the gate says in the end is not."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from opsctl.sandbox.stream_output import (
    BURST_BYTES,
    LAST_BYTES,
    OutputLimits,
    OutputReader,
    read_output,
)
from opsctl.systems.engine.capped_container import OutputPiece, OutputStream
from tests.fakes.clock import HandClock

MARK = b"\x00secret\n"
WIDE = OutputLimits(10_000_000, 1e9)


def heard(chunks: list[bytes], *, end: bool = True) -> tuple[bytes, OutputReader]:
    pieces: list[OutputPiece] = []
    reader = OutputReader(pieces.append, WIDE, MARK)
    for chunk in chunks:
        reader.take(OutputPiece(OutputStream.ERROR, chunk))
    if end:
        reader.end()
    return b"".join(piece.data for piece in pieces), reader


@given(
    said=st.lists(st.sampled_from([b"x", b"\x00", b"\x00s", b"secret", b"\n", b"\xff"])),
    words=st.binary(max_size=20),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_wherever_it_is_cut_the_end_is_told_from_the_rest(
    said: list[bytes], words: bytes, cuts: list[int]
) -> None:
    text = b"".join(said)
    whole = text.replace(MARK, b"") + MARK + words.replace(MARK, b"")
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    chunks = [whole[a:b] for a, b in pairwise(places)]

    passed, reader = heard(chunks)

    assert passed == text.replace(MARK, b"")
    assert reader.last_words == words.replace(MARK, b"").decode(errors="replace")


def test_what_only_looked_like_the_end_is_passed_on() -> None:
    passed, reader = heard([b"said\x00secr"])

    assert passed == b"said\x00secr"
    assert reader.last_words == ""


def test_the_mark_on_standard_output_is_the_commands_own() -> None:
    pieces: list[OutputPiece] = []
    reader = OutputReader(pieces.append, WIDE, MARK)

    reader.take(OutputPiece(OutputStream.OUT, MARK))

    assert pieces == [OutputPiece(OutputStream.OUT, MARK)]


def test_output_over_the_limit_is_counted_and_not_shown() -> None:
    pieces: list[OutputPiece] = []
    reader = OutputReader(pieces.append, OutputLimits(10, 1e9), MARK)

    for _ in range(3):
        reader.take(OutputPiece(OutputStream.OUT, b"1234567"))

    assert b"".join(piece.data for piece in pieces) == b"1234567123"
    assert (reader.heard_bytes, reader.dropped_bytes) == (21, 11)


def test_only_the_last_of_the_output_is_kept() -> None:
    reader = OutputReader(lambda _: None, WIDE, MARK)

    for number in range(100):
        reader.take(OutputPiece(OutputStream.OUT, bytes([number]) * 10_000))

    assert len(reader.last_output) <= LAST_BYTES
    assert reader.last_output.endswith("\x63" * 100)


@dataclass
class Flood:
    """A channel that always has more."""

    clock: HandClock
    is_open: bool = True
    looks: list[float] = field(default_factory=list)

    def read(self, timeout_s: float) -> tuple[OutputPiece, ...]:
        self.looks.append(timeout_s)
        return (OutputPiece(OutputStream.OUT, b"x" * 65_536),)

    def send(self, words: bytes) -> None:
        """Hear nothing: a flood does not listen."""

    def close(self) -> None:
        self.is_open = False


def test_a_flood_is_taken_no_faster_than_the_pace() -> None:
    clock = HandClock()
    pace = 1_000_000
    reader = OutputReader(lambda _: None, WIDE, MARK)

    in_time = read_output(Flood(clock), reader, clock, until=10.0, pace=pace)

    assert not in_time
    assert clock.steady() >= 10.0
    assert reader.heard_bytes <= BURST_BYTES + 10.5 * pace + 65_536
