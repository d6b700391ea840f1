"""A service at one end of a line: uses a part of the kit, and says what came of it and when."""

import json
import sys
from collections.abc import Callable
from typing import Any

from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.client import RedisLimits
from tests.contract.kit.faces import loop
from tests.integration.kit.outcomes import outcome
from tests.integration.kit.parts import PARTS, SLOW_RATE, Deeds, Kit


def main(url: str, face: str, answer_s: str, rounds: str) -> None:
    limits = RedisLimits(answer_s=float(answer_s), connections=4)
    with loop(face) as runner:
        for part in PARTS:
            kit = Kit(url, runner, limits, rate=SLOW_RATE)
            use(kit, part, int(rounds))
            kit.client.close()


def use(kit: Kit, part: str, rounds: int) -> None:
    """Prepare the part, which is already a use of it, and then do each deed in turn."""
    deeds: Deeds = {}

    def prepare() -> str:
        deeds.update(PARTS[part](kit))
        return "done"

    do(part, "prepare", prepare)
    for _ in range(rounds):
        for name, deed in deeds.items():
            do(part, name, deed)


def do(part: str, name: str, deed: Callable[[], Any]) -> None:
    clock = SystemClock()
    began = clock.steady()
    said = outcome(deed)
    took_s = clock.steady() - began
    shown = said.decode() if isinstance(said, bytes) else said
    sys.stdout.write(f"{json.dumps([part, name, shown, took_s])}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
