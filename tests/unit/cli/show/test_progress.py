import io

from opsctl.cli.show.progress import Heartbeat, MovingLine
from opsctl.progress import estimate_seconds_left, format_duration
from tests.fakes.clock import HandClock
from tests.waiting import wait_for


def test_time_left_is_guessed_from_what_is_behind() -> None:
    assert estimate_seconds_left(0, 10, 5.0) is None
    assert estimate_seconds_left(2, 10, 5.0) == 20.0
    assert estimate_seconds_left(10, 10, 5.0) == 0.0


def test_durations_are_said_as_a_person_would() -> None:
    assert [format_duration(s) for s in (3.6, 59.7, 200, 3900)] == [
        "4 s",
        "1 min 0 s",
        "3 min 20 s",
        "1 h 5 min",
    ]


def test_a_terminal_sees_one_line_that_is_gone_in_the_end() -> None:
    stream, clock = io.StringIO(), HandClock()
    line = MovingLine(stream, clock)

    line.advance(0, 2, "first")
    clock.sleep(3)
    line.advance(1, 2, "second\x1b")
    line.advance(2, 2, "")

    erase = "\r\x1b[2K"
    assert stream.getvalue() == (
        f"{erase}[0/2] first (0 s){erase}[1/2] second\\x1b (3 s, about 3 s left){erase}"
    )


def test_a_pipe_hears_a_heartbeat_while_one_part_hangs() -> None:
    stream = io.StringIO()
    beat = Heartbeat(stream, HandClock(), every_s=0.01)

    beat.advance(1, 3, "restoring")

    wait_for(lambda: stream.getvalue().count("\n") >= 2, 5, "two heartbeats")
    assert stream.getvalue().startswith("[1/3] restoring (0 s, about 0 s left)\n")
    beat.advance(3, 3, "")


def test_a_pipe_hears_nothing_of_quick_work() -> None:
    stream = io.StringIO()
    beat = Heartbeat(stream, HandClock())

    beat.advance(0, 1, "quick")
    beat.advance(1, 1, "")

    assert stream.getvalue() == ""
