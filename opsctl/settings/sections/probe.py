"""Section `probe`: thresholds of `opsctl health`, and the expected subscriptions."""

from opsctl.settings.section import Section, setting


class Probe(Section):
    """Thresholds of `opsctl health`, and the expected subscriptions."""

    channels: tuple[str, ...] = setting(
        ("ticker.kr", "ticker.us", "market_ticker"), "Channels that need a subscriber."
    )
    patterns: tuple[str, ...] = setting(("ticker.*",), "Patterns that the archiver subscribes to.")
    canary_channel: str = setting(
        "opsctl.canary", "Channel of the test message; not one of the stack's.", min_length=1
    )
    samples: int = setting(100, "How often Redis is pinged for its latency.", ge=1, le=10000)
    budget_s: float = setting(
        2.0, "Longest time for one open-ended measurement: pings, a scan of keys.", gt=0
    )
    ping_warn_ms: float = setting(10.0, "p99 of PING that warns.", gt=0)
    ping_critical_ms: float = setting(100.0, "p99 of PING that is critical.", gt=0)
    memory_warn_percent: float = setting(80.0, "Share of maxmemory that warns.", gt=0)
    memory_critical_percent: float = setting(95.0, "Share of maxmemory that is critical.", gt=0)
    fragmentation_warn: float = setting(1.5, "Fragmentation ratio that warns.", gt=1)
    fragmentation_critical: float = setting(3.0, "Fragmentation ratio that is critical.", gt=1)
    fragmentation_min_mb: float = setting(
        64.0, "Resident MiB below which fragmentation is not judged.", ge=0
    )
    clients_warn_percent: float = setting(80.0, "Share of maxclients that warns.", gt=0)
    clients_critical_percent: float = setting(95.0, "Share of maxclients that is critical.", gt=0)
    evicted_warn_per_hour: float = setting(1.0, "Evicted keys per hour that warn.", gt=0)
    evicted_critical_per_hour: float = setting(10000.0, "The same, critical.", gt=0)
    rejected_warn_per_hour: float = setting(0.1, "Refused connections per hour that warn.", gt=0)
    rejected_critical_per_hour: float = setting(60.0, "The same, critical.", gt=0)
    blocked_warn: int = setting(50, "Clients waiting in a blocking command that warn.", ge=1)
    blocked_critical: int = setting(500, "The same, critical.", ge=1)
    unsaved_warn_s: float = setting(
        7200.0, "Age of the last snapshot that warns, where snapshots are on.", gt=0
    )
    unsaved_critical_s: float = setting(86400.0, "The same, critical.", gt=0)
    lag_warn_s: float = setting(5.0, "Silence between master and replica that warns.", gt=0)
    lag_critical_s: float = setting(60.0, "The same, critical.", gt=0)
    slow_window_s: float = setting(3600.0, "How far back the slow log is read.", gt=0)
    slow_warn: int = setting(10, "Slow commands in that time that warn.", ge=1)
    slow_critical: int = setting(100, "The same, critical.", ge=1)
    ttl_patterns: tuple[str, ...] = setting(
        ("*:cache:*", "*:session:*", "*:hash:*", "cache:*", "session:*", "rate:*"),
        "Patterns of keys that must have a TTL.",
    )
    missing_ttl_warn: int = setting(1, "Such keys without a TTL that warn.", ge=1)
    missing_ttl_critical: int = setting(1000, "The same, critical.", ge=1)
    output_warn_mb: float = setting(4.0, "MiB waiting for one slow client that warn.", gt=0)
    output_critical_mb: float = setting(
        16.0, "The same, critical; Redis disconnects a subscriber at 32.", gt=0
    )
    max_keys: int = setting(20000, "Maximum number of keys scanned.", ge=100)
    top: int = setting(10, "Rows in each table of `opsctl debug redis`.", ge=1, le=1000)
