import inspect
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from docker import errors
from urllib3 import exceptions as wire

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.docker.containers import BY_CLASS, DRIVER_ERRORS, STUCK_HINT, translate
from opsctl.systems.engine.model import (
    EngineDisk,
    choose_api_version,
    choose_disk_usage_api,
    read_disk,
    read_stats,
    read_time,
)

THEIRS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("theirs", [kind for kind in THEIRS if issubclass(kind, Exception)])
def test_every_error_of_the_driver_has_its_own_answer(theirs: type[Exception]) -> None:
    assert theirs in BY_CLASS


@pytest.mark.parametrize("theirs", BY_CLASS)
def test_every_error_with_an_answer_is_caught(theirs: type[Exception]) -> None:
    assert issubclass(theirs, DRIVER_ERRORS)


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ReadTimeout("x"),
        requests.exceptions.ConnectTimeout("x"),
        wire.ReadTimeoutError(None, "x", "x"),  # type: ignore[arg-type] # no pool is needed
        wire.ConnectTimeoutError("x"),
        TimeoutError("x"),
        BlockingIOError(11, "x"),
    ],
)
def test_an_engine_that_does_not_answer_in_time_is_stuck(error: Exception) -> None:
    assert translate(error, "cannot ask", address="x").hint == STUCK_HINT


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ReadTimeout("x"),
        requests.exceptions.ConnectTimeout("x"),
        requests.exceptions.ConnectionError("x"),
        requests.exceptions.ChunkedEncodingError("x"),
        wire.ReadTimeoutError(None, "x", "x"),  # type: ignore[arg-type] # no pool is needed
        wire.ProtocolError("x"),
        ConnectionResetError(),
        socket.gaierror(),
    ],
)
def test_an_engine_that_does_not_answer_is_unreachable(error: Exception) -> None:
    answer = translate(error, "cannot ask", address="unix:///x.sock")

    assert isinstance(answer, UnreachableError)
    assert "unix:///x.sock" in answer.why
    assert answer.hint


def through_the_driver(cause: Exception) -> Exception:
    """Wrap it as requests and urllib3 do."""
    return requests.exceptions.ConnectionError(wire.ProtocolError("Connection aborted.", cause))


@pytest.mark.parametrize(
    ("cause", "hint"),
    [
        (PermissionError(13, "Permission denied"), "usermod -aG docker"),
        (FileNotFoundError(2, "No such file"), "systemctl start docker"),
        (ConnectionRefusedError(111, "Connection refused"), "systemctl start docker"),
    ],
)
def test_the_hint_fits_the_cause(cause: Exception, hint: str) -> None:
    assert hint in translate(cause, "cannot ask").hint
    assert hint in translate(through_the_driver(cause), "cannot ask").hint


def test_what_the_engine_explains_is_the_reason() -> None:
    response = requests.Response()
    response.status_code = 409
    error = errors.APIError("409 Client Error", response, "name is in use")

    answer = translate(error, "cannot remove")

    assert type(answer) is OpsctlError
    assert answer.why == "name is in use"


@pytest.mark.parametrize(
    ("newest", "oldest", "expected"),
    [("1.41", "1.12", "1.41"), ("1.51", "1.24", "1.45"), ("1.60", "1.50", "1.50")],
)
def test_the_newest_protocol_that_both_know_is_used(
    newest: str, oldest: str, expected: str
) -> None:
    assert choose_api_version(newest, oldest, ours="1.45") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01T12:00:00.123456789Z", datetime(2024, 5, 1, 12, 0, 0, 123456, UTC)),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_a_time_of_the_engine_is_read(text: str, expected: datetime | None) -> None:
    assert read_time(text) == expected


@pytest.mark.parametrize("cache", ["total_inactive_file", "inactive_file"])
def test_page_cache_is_not_memory_in_use(cache: str) -> None:
    cpu = {"cpu_usage": {"total_usage": 500}, "system_cpu_usage": 2000, "online_cpus": 2}
    raw: dict[str, Any] = {
        "cpu_stats": cpu,
        "precpu_stats": {"cpu_usage": {"total_usage": 0}, "system_cpu_usage": 1000},
        "memory_stats": {"usage": 100, "limit": 1000, "stats": {cache: 30}},
        "pids_stats": {"current": 3},
    }

    stats = read_stats(raw)

    assert stats.memory_bytes == 70
    assert stats.cpu_percent == 100
    assert (stats.memory_limit_bytes, stats.processes) == (1000, 3)


def test_a_container_that_stopped_meanwhile_uses_nothing() -> None:
    nothing = {"cpu_usage": {"total_usage": 0}}
    raw = {"cpu_stats": nothing, "precpu_stats": nothing, "memory_stats": {}}

    assert read_stats(raw).cpu_percent == read_stats(raw).memory_bytes == 0


def test_what_the_engine_cannot_measure_counts_as_nothing() -> None:
    raw = {"LayersSize": 5, "Containers": None, "Volumes": [{"UsageData": {"Size": -1}}, {}]}

    assert read_disk(raw) == EngineDisk(5, 0, 0, 0)


@pytest.mark.parametrize(("summed", "unused"), [({"Reclaimable": 10}, 10), ({}, 0)])
def test_an_engine_that_adds_up_what_can_be_freed_is_believed(
    summed: dict[str, int], unused: int
) -> None:
    # By the lists two images that share a layer both leave it out: 80 of it would be unused.
    listed = {"Size": 100, "SharedSize": 80, "Containers": 1}
    raw = {"LayersSize": 100, "Images": [listed], "ImageUsage": summed}

    assert read_disk(raw).unused_images_bytes == unused


@pytest.mark.parametrize(
    ("newest", "expected"), [("1.41", "1.41"), ("1.51", "1.44"), ("1.52", "1.52"), ("1.56", "1.52")]
)
def test_disk_usage_is_asked_for_where_the_engine_adds_it_up(newest: str, expected: str) -> None:
    chosen = choose_api_version(newest, "1.24", ours="1.44")

    assert choose_disk_usage_api(newest, chosen=chosen) == expected
