"""Settings keys that were renamed: an old one is refused, with the new one as the hint."""

RENAMED: dict[str, str] = {
    "disk.trend_least_hours": "disk.trend_min_hours",
    "notify.back_off_most_s": "notify.back_off_max_s",
    "notify.refusals": "notify.max_rejections",
    "retention.clock_slack_s": "retention.clock_tolerance_s",
    "retention.longest_pause_days": "retention.max_pause_days",
    "retention.threads": "retention.workers",
}
