"""Whatever a test does: the verdict is right, the host answers, and nothing is left behind."""

import json
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.engines.redis import OwnRedis
from tests.scenarios.sandbox.conftest import FOREVER, Site
from tests.waiting import wait_for

# Small caps are reached sooner.
SMALL = {"OPSCTL_SANDBOX_MEMORY_MB": "64", "OPSCTL_SANDBOX_GRACE_S": "1"}
HOSTILE = {
    # The shell itself forks but once: it ends when it cannot.
    "fork bomb": ("f() { f | f & }; (f) & while :; do :; done", "timed out", 124),
    "memory bomb": ("exec tail /dev/zero", "out of memory", 137),
    "memory bomb of a child": ("tail /dev/zero; exit 7", "child out of memory", 7),
    "child starved, all else well": ("tail /dev/zero; true", "child out of memory", 0),
    "processor burner": ("while :; do :; done", "timed out", 124),
    "disk filler": ("dd if=/dev/zero of=/tmp/x bs=1M", "out of memory", 137),
    "output flood": ("exec yes", "timed out", 124),
    "deaf to TERM": (f'trap "" TERM; {FOREVER}', "timed out", 124),
    "rid of its guard": ("kill -9 -1; while :; do :; done", "timed out", 124),
    "killed by itself": ("kill -9 $$", "killed", 137),
    "plain 137": ("exit 137", "failed", 137),
}


# A process of its own: what reads a flood beside it must not hold it up.
PINGER = """
import json, select, socket, sys, time
took = []
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as redis:
    print(flush=True)
    while len(took) < int(sys.argv[2]) and not select.select([sys.stdin], [], [], 0.005)[0]:
        began = time.perf_counter()
        redis.sendall(b"PING\\r\\n")
        redis.recv(7)
        took.append(1000 * (time.perf_counter() - began))
print(json.dumps(took))
"""


@dataclass(slots=True)
class Pings:
    """How long a Redis of the host took to answer, in ms."""

    port: int
    took_ms: list[float] = field(default_factory=list)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        with self._asking(10**9) as asking:
            assert asking.stdout is not None
            asking.stdout.readline()
            try:
                yield
            finally:
                said, _ = asking.communicate("", timeout=60)
        self.took_ms += json.loads(said)

    @property
    def p99_ms(self) -> float:
        return p99(self.took_ms)

    def without(self) -> float:
        """Ask as often while nothing of ours runs: what other work does to the host."""
        with self._asking(len(self.took_ms)) as asking:
            assert asking.stdout is not None
            return p99(json.loads(asking.stdout.read()))

    def _asking(self, times: int) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", PINGER, str(self.port), str(times)]
        return subprocess.Popen(argv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def p99(took_ms: list[float]) -> float:
    return statistics.quantiles(took_ms, n=100)[98]


@pytest.fixture
def pings(own_redis: OwnRedis) -> Pings:
    return Pings(own_redis().address.port)


@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_it_does_the_verdict_is_right_the_host_answers_and_nothing_is_left(
    site: Site, pings: Pings, kind: str
) -> None:
    script, verdict, code = HOSTILE[kind]

    with pings.going_on():
        # Only what never ends by itself is to be out of time.
        limit = "3s" if verdict == "timed out" else "90s"
        answer = site.sh(script, "--timeout", limit, "--json", environ=SMALL)

    (run,) = answer.json["runs"]
    assert (run["verdict"], run["exit_code"], answer.code) == (verdict, code, code)
    assert run["limits"]["cpus"] * run["wall_s"] * 1.2 + 0.2 >= (run["figures"]["cpu_s"] or 0)
    assert (run["figures"]["peak_memory_bytes"] or 0) <= 64 << 20
    assert site.containers() == []
    assert len(pings.took_ms) > 30
    # Beside other tests the host is busy with or without this one, and more at one time than at
    # another.
    assert pings.p99_ms < 50 or any(pings.p99_ms < 3 * pings.without() for _ in range(4))


def test_a_disk_filler_meets_the_end_of_its_folder_first(site: Site) -> None:
    answer = site.sh(
        "dd if=/dev/zero of=/tmp/x bs=1M; echo $?", environ={"OPSCTL_SANDBOX_TMP_MB": "8"}
    )

    assert answer.out == "1\n"
    assert "No space left on device" in answer.err


def test_a_flood_is_shown_up_to_the_limit(site: Site) -> None:
    answer = site.sh("yes | head -c 3000000", environ={"OPSCTL_SANDBOX_OUTPUT_MB": "1"})

    assert answer.code == 0
    assert len(answer.out) == 1 << 20
    assert "1.9 MiB of output were dropped" in answer.err


def test_when_opsctl_is_killed_the_test_ends_and_the_next_run_clears_up(site: Site) -> None:
    process = site.start(FOREVER, "--with", "redis")
    wait_for(lambda: len(site.containers("--filter", "status=running")) == 2, 60, "both to run")
    process.kill()
    process.communicate(timeout=60)

    wait_for(lambda: not site.containers("--filter", "status=running"), 60, "both to end with it")
    answer = site.sh("true")

    assert answer.code == 0
    assert (site.containers(), site.networks()) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_leaves_nothing_behind(site: Site, number: signal.Signals) -> None:
    with site.start(f"echo up; {FOREVER}") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "what had been started was removed" in err
    assert site.containers() == []
