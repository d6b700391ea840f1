"""Settings keys that have another name now: an old one is refused with the new name as the hint."""

RENAMED: dict[str, str] = {
    "policy.knock_timeout_s": "policy.port_timeout_s",
    "policy.off": "policy.disabled_rules",
    "probe.expiring": "probe.ttl_patterns",
    "probe.fragmentation_floor_mb": "probe.fragmentation_min_mb",
    "probe.immortal_critical": "probe.missing_ttl_critical",
    "probe.immortal_warn": "probe.missing_ttl_warn",
    "probe.keys": "probe.max_keys",
}
