"""Settings keys that were renamed: an old key is refused with the new one as the hint."""

RENAMED: dict[str, str] = {
    "deploy.gate_timeout_s": "deploy.data_check_timeout_s",
    "deploy.spare_young_s": "deploy.prune_min_age_s",
}
