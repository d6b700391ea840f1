"""From the settings to the kit's parts: the same files and variables as the terminal reads."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsctl.kit import parts
from opsctl.settings import Settings, SettingsRequest, default_settings, load_settings
from opsctl.systems.redis.from_settings import target_of
from opsctl.systems.redis.target import RedisLimits


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the project's files where there are any; without them the environment must do."""
    request = SettingsRequest(Path.cwd(), os.environ if environ is None else environ)
    if not parts.has_settings(request.directory):
        return default_settings(request, "stack")
    return load_settings(request, parts.read_text).resolved.settings


def redis_arguments(settings: Settings) -> dict[str, Any]:
    redis = settings.redis
    return {
        "url": target_of(redis),
        "enabled": redis.enabled,
        "limits": RedisLimits(redis.timeout_s, redis.connections),
    }
