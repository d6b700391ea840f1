"""The caps as the container itself sees them, on cgroup v1 (recorded) and v2 (as documented)."""

from pathlib import Path

import pytest

from opsctl.sandbox.model import MEBI, CappedLimits, CappedSpec
from opsctl.sandbox.verify_caps import failed_caps
from opsctl.systems.docker.capped_entrypoint import read_shown
from tests.unit.sandbox.conftest import CGROUPS

SPEC = CappedSpec("t", "app:1", CappedLimits(0.5, 512 * MEBI, 256, MEBI), "65534:65534", ("true",))
V1, V2 = CGROUPS / "v1.before", CGROUPS / "v2.before"


@pytest.mark.parametrize("recorded", [V1, V2])
def test_caps_that_hold_are_no_problem(recorded: Path) -> None:
    assert failed_caps(read_shown(recorded.read_text()), SPEC) == ()


def test_nothing_shown_fails_every_check() -> None:
    assert len(failed_caps({}, SPEC)) >= 8


SWAP = "+/swapfile file 2097148 0 -2\n"
BREAKS = [
    (V1, "limit_in_bytes\n+536870912\nfile /sys/fs/cgroup/memory/memory.memsw",
     "limit_in_bytes\n+9223372036854771712\nfile /sys/fs/cgroup/memory/memory.memsw",
     "memory is capped at"),
    (V1, "+50000\n", "+-1\n", "the processor is not capped"),
    (V1, "+50000\n", "+60000\n", "capped at 0.6, not 0.5"),
    (V1, "pids.max\n+256", "pids.max\n+max", "processes are capped at None"),
    (V2, "memory.max\n+536870912", "memory.max\n+max", "memory is capped at None"),
    (V2, "memory.max\n+536870912", "memory.max\n+536870913", "memory is capped at 536870913"),
    (V2, "swap.max\n+0", "swap.max\n+max", "swap is not capped"),
    (V2, "swap.max\n+0", "swap.max\n+4096", "swap is not capped"),
    (V2, "+50000 100000", "+max 100000", "the processor is not capped"),
    (V2, "+50000 100000", "+100000 100000", "capped at 1, not 0.5"),
    (V2, "pids.max\n+256", "pids.max\n+512", "processes are capped at 512"),
    (V2, "Uid:\t65534\t65534", "Uid:\t0\t0", "it runs as root"),
    (V2, "Uid:\t65534\t65534\t65534", "Uid:\t65534\t65534\t0", "it runs as root"),
    (V2, "NoNewPrivs:\t1", "NoNewPrivs:\t0", "new privileges"),
    (V2, "CapEff:\t0000000000000000", "CapEff:\t0000000000000400", "capabilities (CapEff)"),
    (V2, "CapBnd:\t0000000000000000", "CapBnd:\t00000000a80425fb", "capabilities (CapBnd)"),
    (V2, "/ / ro,relatime", "/ / rw,relatime", "its root is writable"),
    (V2, "+1013 1012 0:28 / /sys", "+7 7 0:9 /docker.sock /x rw - tmpfs t rw\n+1 1 0:28 / /sys",
     "the engine's socket"),
    (V2, "file /proc/net/ipv6_route", "+eth0\t00000000\nfile /proc/net/ipv6_route",
     "a way to a network"),
    (V2, "00200200       lo", "00200200     eth0", "a way to a network"),
]  # fmt: skip


@pytest.mark.parametrize(("recorded", "found", "broken", "said"), BREAKS)
def test_a_cap_that_does_not_hold_is_reported(
    recorded: Path, found: str, broken: str, said: str
) -> None:
    text = recorded.read_text()
    assert found in text

    (told,) = failed_caps(read_shown(text.replace(found, broken)), SPEC)

    assert said in told


def test_swap_without_its_own_account_is_a_problem_only_where_there_is_swap() -> None:
    text = V1.read_text().replace("memory.memsw.limit_in_bytes\n+536870912", "elsewhere\n+1")

    assert failed_caps(read_shown(text), SPEC) == ()
    swapping = text.replace("Priority\n", f"Priority\n{SWAP}")
    assert "swap is not capped" in failed_caps(read_shown(swapping), SPEC)[0]


def test_a_network_that_was_asked_for_is_no_problem() -> None:
    text = V2.read_text().replace("00200200       lo", "00200200     eth0")
    joined = CappedSpec("t", "app:1", SPEC.limits, "1:1", ("true",), network="stack-dev_tests")

    assert failed_caps(read_shown(text), joined) == ()
