"""The only module of the kit that names real systems: services have no wiring of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.kit.chance import CHANCE
from opsctl.systems.clock import AsyncClock, Clock, SystemClock
from opsctl.systems.redis.pubsub import Topics
from opsctl.systems.redis.target import RedisLimits, RedisTarget

SETTINGS_FILE = Path("configs/opsctl.yaml")

if TYPE_CHECKING:
    from opsctl.systems.event_loop import Loop
    from opsctl.systems.http.pool import HttpPool
    from opsctl.systems.redis.async_pool import AsyncRedis
    from opsctl.systems.redis.pool import PooledRedis


def system_clock() -> AsyncClock:
    return SystemClock()


def async_redis_connections(
    target: RedisTarget,
    *,
    name: str,
    limits: RedisLimits,
    clock: Clock,  # noqa: ARG001 - threads need it
) -> "AsyncRedis":
    from opsctl.systems.redis.async_pool import RedisPyAsync  # noqa: PLC0415 - redis-py

    return RedisPyAsync(target, name=name, limits=limits)


def redis_connections(
    target: RedisTarget, *, name: str, limits: RedisLimits, clock: Clock
) -> "PooledRedis":
    from opsctl.systems.redis.pool import RedisPyPooled  # noqa: PLC0415 - loaded by sync services

    return RedisPyPooled(target, name=name, clock=clock, limits=limits)


def http_pool() -> "HttpPool":
    from opsctl.systems.http.pool import HttpxPool  # noqa: PLC0415 - loaded by users of HTTP

    return HttpxPool()


def loop_thread() -> "Loop":
    from opsctl.systems.event_loop import LoopThread  # noqa: PLC0415 - same

    return LoopThread()


def topics(channels: Sequence[str], patterns: Sequence[str]) -> Topics:
    return Topics(tuple(channels), tuple(patterns))


def add_jitter(pause_s: float) -> float:
    """Spread the retries of many processes that wait for the same server."""
    return pause_s * CHANCE.uniform(0.5, 1.0)


def has_settings(directory: Path) -> bool:
    folders = (directory, *directory.parents)
    return any((folder / SETTINGS_FILE).is_file() for folder in folders)


def read_text(path: Path) -> str | None:
    from opsctl.systems.files.local import (  # noqa: PLC0415 - only settings
        LocalFiles,
        MissingFileError,
    )

    try:
        return LocalFiles().read_text(path)
    except MissingFileError:
        return None
