"""Settings keys that were renamed: an old one is refused, with the new one as the hint."""

RENAMED: dict[str, str] = {
    "cache.goal_percent": "cache.hit_rate_warn_percent",
    "cache.lock_s": "cache.compute_lock_s",
    "cache.wait_s": "cache.compute_wait_s",
    "deploy.gate_timeout_s": "deploy.data_check_timeout_s",
    "deploy.spare_young_s": "deploy.prune_min_age_s",
    "disk.trend_least_hours": "disk.trend_min_hours",
    "limits.more": "limits.custom",
    "limits.when_away": "limits.when_unavailable",
    "notify.back_off_most_s": "notify.back_off_max_s",
    "notify.refusals": "notify.max_rejections",
    "retention.clock_slack_s": "retention.clock_tolerance_s",
    "retention.longest_pause_days": "retention.max_pause_days",
    "retention.threads": "retention.workers",
}
