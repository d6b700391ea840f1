"""The only place in the kit that names real systems: services have no wiring of their own."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.systems.clock import AsyncClock, SystemClock
from opsctl.systems.redis.pubsub import Topics
from opsctl.systems.redis.target import RedisLimits, RedisTarget

BASE = Path("configs/opsctl.yaml")

if TYPE_CHECKING:
    from opsctl.systems.event_loop import Loop
    from opsctl.systems.http.pool import HttpPool
    from opsctl.systems.redis.async_pool import AsyncRedis
    from opsctl.systems.redis.pool import PooledRedis


def system_clock() -> AsyncClock:
    return SystemClock()


def pooled_redis(
    target: RedisTarget, *, name: str, limits: RedisLimits, clock: AsyncClock
) -> "PooledRedis":
    from opsctl.systems.redis.pool import RedisPyPooled  # noqa: PLC0415 - sync services pay

    return RedisPyPooled(target, name=name, clock=clock, limits=limits)


def async_redis(target: RedisTarget, *, name: str, limits: RedisLimits) -> "AsyncRedis":
    from opsctl.systems.redis.async_pool import RedisPyAsync  # noqa: PLC0415 - async services pay

    return RedisPyAsync(target, name=name, limits=limits)


def http_pool() -> "HttpPool":
    from opsctl.systems.http.pool import HttpxPool  # noqa: PLC0415 - HTTP's users pay

    return HttpxPool()


def loop_thread() -> "Loop":
    from opsctl.systems.event_loop import LoopThread  # noqa: PLC0415 - same

    return LoopThread()


def topics(channels: Sequence[str], patterns: Sequence[str]) -> Topics:
    return Topics(tuple(channels), tuple(patterns))


def jittered(pause_s: float) -> float:
    """Spread many who wait for the same thing, so that they do not come back at once."""
    return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def has_settings(directory: Path) -> bool:
    return any((folder / BASE).is_file() for folder in (directory, *directory.parents))


def read_text(path: Path) -> str | None:
    from opsctl.systems.files.local import (  # noqa: PLC0415 - only settings
        LocalFiles,
        MissingFileError,
    )

    try:
        return LocalFiles().read_text(path)
    except MissingFileError:
        return None
