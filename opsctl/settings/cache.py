"""Section `cache`: the cache that the stack's services share."""

from typing import Literal

from pydantic import SecretStr

from opsctl.settings.section import Section, setting


class Cache(Section):
    """The cache that the stack's services share."""

    backend: Literal["memory", "redis", "layered"] = setting(
        "memory", "memory, redis, or layered (memory in front of redis).", env=("CACHE_BACKEND",)
    )
    redis_url: SecretStr = setting(
        SecretStr(""),
        "redis://host:port/db of the cache; empty means the stack's own Redis.",
        env=("CACHE_REDIS_URL",),
    )
    l1_max_entries: int = setting(
        1000, "Most entries held in memory.", env=("CACHE_L1_MAX_ENTRIES",), ge=1
    )
    l1_max_memory_mb: int = setting(
        100, "Most MiB held in memory.", env=("CACHE_L1_MAX_MEMORY_MB",), ge=1
    )
