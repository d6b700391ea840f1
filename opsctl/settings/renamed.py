"""Settings keys that were renamed: an old one is refused, with the new one as the hint."""

RENAMED: dict[str, str] = {
    "cache.goal_percent": "cache.hit_rate_warn_percent",
    "cache.lock_s": "cache.compute_lock_s",
    "cache.wait_s": "cache.compute_wait_s",
    "deploy.gate_timeout_s": "deploy.data_check_timeout_s",
    "deploy.spare_young_s": "deploy.prune_min_age_s",
    "limits.more": "limits.custom",
    "limits.when_away": "limits.when_unavailable",
}
