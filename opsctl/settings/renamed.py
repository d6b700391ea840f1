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
    "policy.knock_timeout_s": "policy.port_timeout_s",
    "policy.off": "policy.disabled_rules",
    "probe.expiring": "probe.ttl_patterns",
    "probe.fragmentation_floor_mb": "probe.fragmentation_min_mb",
    "probe.immortal_critical": "probe.missing_ttl_critical",
    "probe.immortal_warn": "probe.missing_ttl_warn",
    "probe.keys": "probe.max_keys",
    "retention.clock_slack_s": "retention.clock_tolerance_s",
    "retention.longest_pause_days": "retention.max_pause_days",
    "retention.threads": "retention.workers",
}
