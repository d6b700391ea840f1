"""Whether a Redis is healthy: each measurement becomes a finding with its figures and its fix."""

from collections.abc import Callable, Iterator
from statistics import quantiles

from opsctl.findings import Figure, Finding, Level
from opsctl.health_rules.measurements import RedisMeasurements
from opsctl.settings.sections.probe import Probe
from opsctl.units import format_bytes

MIB = 1024 * 1024
_HOUR_S = 3600.0


def judge_redis(seen: RedisMeasurements, rules: Probe) -> tuple[Finding, ...]:
    """Judge everything; what the server hides is unknown, never ok."""
    if "info" in seen.denied:
        return (*_latency(seen, rules), *_denied(seen))
    found = [finding for judge in _JUDGES for finding in judge(seen, rules)]
    return (*found, *_denied(seen))


def grade(value: float, warn_at: float, critical_at: float) -> Level:
    """Grade a value; one on the threshold counts as over it."""
    if value >= critical_at:
        return Level.CRITICAL
    return Level.WARNING if value >= warn_at else Level.OK


def percentiles(samples: tuple[float, ...]) -> tuple[float, float]:
    """Return p50 and p99."""
    if len(samples) < 2:  # noqa: PLR2004  # one value is its own median
        return (samples[0], samples[0]) if samples else (0.0, 0.0)
    cuts = quantiles(samples, n=100, method="inclusive")
    return cuts[49], cuts[98]


def _reachable(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:  # noqa: ARG001  # one shape for all
    version = seen.info.get("redis_version", "of unknown version")
    hours = seen.number("uptime_in_seconds") / _HOUR_S
    message = f"Redis {version} at {seen.address}, up {hours:.1f} h"
    yield Finding("reachable", Level.OK, message)


def _latency(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    middle, worst = percentiles(seen.pings_ms)
    figures = (
        Figure("p50", middle, "ms"),
        Figure("p99", worst, "ms", rules.ping_warn_ms, rules.ping_critical_ms),
    )
    yield Finding(
        "latency",
        grade(worst, rules.ping_warn_ms, rules.ping_critical_ms),
        f"PING p50 {middle:.2f} ms, p99 {worst:.2f} ms of {len(seen.pings_ms)}",
        fix="`opsctl debug redis` shows slow commands and big keys; `top` what else uses the CPU.",
        figures=figures,
    )


def _memory(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    used, most = seen.number("used_memory"), seen.number("maxmemory")
    whole = most or seen.number("total_system_memory")
    share = 100 * used / whole if whole else 0.0
    policy = seen.info.get("maxmemory_policy", "unknown policy")
    end = "writes will be refused" if policy == "noeviction" else "keys will be evicted"
    if not most:
        end = "the machine runs out: there is no maxmemory"
    thresholds = (rules.memory_warn_percent, rules.memory_critical_percent)
    yield Finding(
        "memory",
        grade(share, *thresholds),
        f"{format_bytes(used)} of {format_bytes(whole)} ({share:.0f} %);"
        f" when full, {end} ({policy})",
        fix="Raise or set maxmemory, or delete: `opsctl debug redis` lists the big keys.",
        figures=(Figure("used", used, "B"), Figure("share", share, "%", *thresholds)),
    )


def _fragmentation(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    ratio = seen.number("mem_fragmentation_ratio")
    resident = seen.number("used_memory_rss")
    thresholds = (rules.fragmentation_warn, rules.fragmentation_critical)
    judged = resident >= rules.fragmentation_min_mb * MIB
    level = grade(ratio, *thresholds) if judged else Level.OK
    note = "" if judged else f"; not judged below {format_bytes(rules.fragmentation_min_mb * MIB)}"
    yield Finding(
        "fragmentation",
        level,
        f"{ratio:.2f} times what is used, {format_bytes(resident)} resident{note}",
        fix="`redis-cli CONFIG SET activedefrag yes`, or restart it in a quiet hour.",
        figures=(Figure("ratio", ratio, "", *thresholds),),
    )


def _evictions(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    fix = "Raise maxmemory, or give keys shorter lives: `opsctl cache stats`."
    thresholds = (rules.evicted_warn_per_hour, rules.evicted_critical_per_hour)
    yield _hourly(
        seen, "evictions", field="evicted_keys", what="keys evicted", thresholds=thresholds, fix=fix
    )


def _rejected(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    fix = "Raise maxclients, or find who opens so many: `opsctl debug redis`."
    thresholds = (rules.rejected_warn_per_hour, rules.rejected_critical_per_hour)
    yield _hourly(
        seen,
        "rejected",
        field="rejected_connections",
        what="connections refused",
        thresholds=thresholds,
        fix=fix,
    )


def _hourly(  # noqa: PLR0913  # one shape for two counters
    seen: RedisMeasurements,
    check: str,
    *,
    field: str,
    what: str,
    thresholds: tuple[float, float],
    fix: str,
) -> Finding:
    """Judge a counter by the hours it took: old events are no problem today."""
    count = seen.number(field)
    rate = count / max(seen.number("uptime_in_seconds") / _HOUR_S, 1.0)
    message = f"{count:.0f} {what} since start, {rate:.1f} per hour"
    figures = (Figure("per_hour", rate, "", *thresholds), Figure("total", count))
    return Finding(check, grade(rate, *thresholds), message, fix=fix, figures=figures)


def _clients(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    here, most = seen.number("connected_clients"), seen.number("maxclients")
    share = 100 * here / most if most else 0.0
    thresholds = (rules.clients_warn_percent, rules.clients_critical_percent)
    yield Finding(
        "clients",
        grade(share, *thresholds),
        f"{here:.0f} of {most:.0f} clients",
        fix="Raise maxclients, or find who opens so many: `opsctl debug redis`.",
        figures=(Figure("share", share, "%", *thresholds),),
    )
    blocked = seen.number("blocked_clients")
    limits = (float(rules.blocked_warn), float(rules.blocked_critical))
    yield Finding(
        "blocked",
        grade(blocked, *limits),
        f"{blocked:.0f} clients wait in a blocking command",
        fix="See what they wait for: `opsctl debug redis`.",
        figures=(Figure("clients", blocked, "", *limits),),
    )


def _persistence(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    for field, name in (
        ("rdb_last_bgsave_status", "snapshot"),
        ("aof_last_write_status", "write to the append-only file"),
        ("aof_last_bgrewrite_status", "rewrite of the append-only file"),
    ):
        if seen.info.get(field, "ok") != "ok":
            fix = "Free its disk, and read its log: a save that fails may stop all writes."
            yield Finding("persistence", Level.CRITICAL, f"the last {name} failed", fix=fix)
            return
    yield _saved(seen, rules)


def _saved(seen: RedisMeasurements, rules: Probe) -> Finding:
    if seen.number("aof_enabled"):
        return Finding("persistence", Level.OK, "append-only file on, last write succeeded")
    if not seen.saves:
        hidden = seen.saves is None
        message = (
            "whether snapshots are on is hidden" if hidden else "off: a restart loses all keys"
        )
        return Finding("persistence", Level.OK, message)
    changes = seen.number("rdb_changes_since_last_save")
    age = seen.number("server_time_usec") / 1e6 - seen.number("rdb_last_save_time")
    thresholds = (rules.unsaved_warn_s, rules.unsaved_critical_s)
    level = grade(age, *thresholds) if changes else Level.OK
    message = f"last snapshot {age / 60:.0f} min ago, {changes:.0f} changes since"
    figures = (Figure("age", age, "s", *thresholds), Figure("changes", changes))
    return Finding("persistence", level, message, fix="`redis-cli BGSAVE`.", figures=figures)


def _replication(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    if seen.info.get("role") == "slave":
        yield _from_master(seen, rules)
        return
    replicas = parse_replicas(seen)
    if not replicas:
        yield Finding("replication", Level.OK, "a master without replicas")
    for replica in replicas:
        thresholds = (rules.lag_warn_s, rules.lag_critical_s)
        lag = float(replica.get("lag", "0"))
        online = replica.get("state") == "online"
        level = grade(lag, *thresholds) if online else Level.WARNING
        name = f"{replica.get('ip')}:{replica.get('port')}"
        message = f"replica {name} is {replica.get('state')}, last seen {lag:.0f} s ago"
        fix = "See its log and the network between them."
        figures = (Figure("lag", lag, "s", *thresholds),)
        yield Finding(f"replica {name}", level, message, fix=fix, figures=figures)


def parse_replicas(seen: RedisMeasurements) -> list[dict[str, str]]:
    count = int(seen.number("connected_slaves"))
    lines = (seen.info.get(f"slave{index}", "") for index in range(count))
    return [dict(pair.partition("=")[::2] for pair in line.split(",")) for line in lines if line]


def _from_master(seen: RedisMeasurements, rules: Probe) -> Finding:
    master = f"{seen.info.get('master_host')}:{seen.info.get('master_port')}"
    fix = "See its log and the network between them."
    if seen.info.get("master_link_status") != "up":
        down = seen.number("master_link_down_since_seconds")
        message = f"replica of {master}: the link has been down for {down:.0f} s; it refuses writes"
        return Finding("replication", Level.CRITICAL, message, fix=fix)
    silence = seen.number("master_last_io_seconds_ago")
    # The master pings its replicas every 10 s by default; silence shorter than that is none.
    thresholds = (rules.lag_warn_s + 10, rules.lag_critical_s + 10)
    figures = (Figure("silence", silence, "s", *thresholds),)
    message = f"replica of {master}, last contact {silence:.0f} s ago; it refuses writes"
    return Finding("replication", grade(silence, *thresholds), message, fix=fix, figures=figures)


def _slow(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    if seen.slow is None:
        return
    thresholds = (float(rules.slow_warn), float(rules.slow_critical))
    minutes = rules.slow_window_s / 60
    yield Finding(
        "slow log",
        grade(seen.slow, *thresholds),
        f"{seen.slow} slow commands in the last {minutes:.0f} min",
        fix="`opsctl debug redis` shows them.",
        figures=(Figure("commands", seen.slow, "", *thresholds),),
    )


def _keys(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    walk = seen.walk
    if walk is None:
        return
    thresholds = (float(rules.missing_ttl_warn), float(rules.missing_ttl_critical))
    scope = "all" if walk.complete else "a sample of"
    message = (
        f"{walk.without_ttl} keys that should expire have no TTL ({scope} {walk.scanned_keys} seen)"
    )
    shown = f": {', '.join(walk.examples)}" if walk.examples else ""
    yield Finding(
        "ttl",
        grade(walk.without_ttl, *thresholds),
        message + shown,
        fix="Find who writes them without a TTL, then `redis-cli EXPIRE KEY SECONDS`.",
        figures=(Figure("without_ttl", walk.without_ttl, "", *thresholds),),
    )


def _buffers(seen: RedisMeasurements, rules: Probe) -> Iterator[Finding]:
    if seen.clients is None:
        return
    fullest = max(seen.clients, key=lambda client: client.waiting_bytes, default=None)
    waiting = fullest.waiting_bytes if fullest else 0
    thresholds = (rules.output_warn_mb * MIB, rules.output_critical_mb * MIB)
    who = f" for {fullest.described}" if fullest and waiting else ""
    yield Finding(
        "buffers",
        grade(waiting, *thresholds),
        f"at most {format_bytes(waiting)} wait to be read{who}",
        fix="That client reads too slowly: Redis will disconnect it. Check its CPU.",
        figures=(Figure("waiting", waiting, "B", *thresholds),),
    )


def _denied(seen: RedisMeasurements) -> Iterator[Finding]:
    for name, why in seen.denied.items():
        fix = "Grant the rights: `ACL SETUSER ... +info +slowlog|get +client|list +config|get`."
        yield Finding(name, Level.UNKNOWN, f"cannot be read: {why}", fix=fix)


_JUDGES: tuple[Callable[[RedisMeasurements, Probe], Iterator[Finding]], ...] = (
    _reachable,
    _latency,
    _memory,
    _fragmentation,
    _evictions,
    _rejected,
    _clients,
    _persistence,
    _replication,
    _slow,
    _keys,
    _buffers,
)
