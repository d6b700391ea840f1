"""A service at one end of a slow network: uses a part of the kit and prints the outcomes."""

import json
import sys
from collections.abc import Callable
from typing import Any

from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.client import RedisLimits
from tests.contract.kit.forms import loop
from tests.integration.kit.fault_outcomes import outcome
from tests.integration.kit.kit_operations import PARTS, SLOW_RATE, Kit, Operations


def main(url: str, form: str, answer_s: str, rounds: str) -> None:
    limits = RedisLimits(answer_s=float(answer_s), connections=4)
    with loop(form) as runner:
        for part in PARTS:
            kit = Kit(url, runner, limits, rate=SLOW_RATE)
            use(kit, part, int(rounds))
            kit.client.close()


def use(kit: Kit, part: str, rounds: int) -> None:
    """Prepare the part, which is a first use, and then run each operation in turn."""
    operations: Operations = {}

    def prepare() -> str:
        operations.update(PARTS[part](kit))
        return "done"

    do(part, "prepare", prepare)
    for _ in range(rounds):
        for name, operation in operations.items():
            do(part, name, operation)


def do(part: str, name: str, operation: Callable[[], Any]) -> None:
    clock = SystemClock()
    began = clock.steady()
    result = outcome(operation)
    took_s = clock.steady() - began
    printed = result.decode() if isinstance(result, bytes) else result
    sys.stdout.write(f"{json.dumps([part, name, printed, took_s])}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
