from dataclasses import replace

import pytest

from opsctl.findings import Level, worst_level
from opsctl.health_rules.measurements import KeyScan, RedisMeasurements
from opsctl.health_rules.redis import grade, judge_redis, percentiles
from opsctl.probe.redis.parse_clients import parse_clients
from opsctl.settings.sections.probe import Probe

RULES = Probe()
MIB = 1024 * 1024
INFO = {
    "redis_version": "7.0.15",
    "uptime_in_seconds": "36000",
    "used_memory": str(10 * MIB),
    "used_memory_rss": str(12 * MIB),
    "maxmemory": str(100 * MIB),
    "maxmemory_policy": "noeviction",
    "mem_fragmentation_ratio": "1.1",
    "connected_clients": "5",
    "maxclients": "10000",
    "role": "master",
    "server_time_usec": "1000000000000",
    "rdb_last_save_time": "999000",
}
WELL = RedisMeasurements(
    address="redis:6379/0",
    info=INFO,
    pings_ms=(0.1, 0.2, 0.3),
    slow=0,
    clients=(),
    saves="3600 1",
    walk=KeyScan(100, complete=True, without_ttl=0, examples=()),
)


def level_of(seen: RedisMeasurements, check: str) -> Level:
    return worst_level(f for f in judge_redis(seen, RULES) if f.check == check)


def with_info(**changed: str) -> RedisMeasurements:
    return replace(WELL, info=INFO | changed)


def test_a_healthy_server_is_fine_in_everything() -> None:
    assert worst_level(judge_redis(WELL, RULES)) is Level.OK


@pytest.mark.parametrize(
    ("changed", "check", "level"),
    [
        ({"used_memory": str(80 * MIB)}, "memory", Level.WARNING),
        ({"used_memory": str(95 * MIB)}, "memory", Level.CRITICAL),
        ({"maxmemory": "0", "total_system_memory": str(11 * MIB)}, "memory", Level.WARNING),
        ({"mem_fragmentation_ratio": "9"}, "fragmentation", Level.OK),
        (
            {"mem_fragmentation_ratio": "2", "used_memory_rss": str(99 * MIB)},
            "fragmentation",
            Level.WARNING,
        ),
        ({"evicted_keys": "10"}, "evictions", Level.WARNING),
        ({"evicted_keys": "9"}, "evictions", Level.OK),
        ({"evicted_keys": "100000"}, "evictions", Level.CRITICAL),
        ({"rejected_connections": "1"}, "rejected", Level.WARNING),
        ({"connected_clients": "8000"}, "clients", Level.WARNING),
        ({"blocked_clients": "500"}, "blocked", Level.CRITICAL),
        ({"rdb_last_bgsave_status": "err"}, "persistence", Level.CRITICAL),
        ({"aof_enabled": "1", "aof_last_write_status": "err"}, "persistence", Level.CRITICAL),
        ({"aof_enabled": "1"}, "persistence", Level.OK),
        ({"rdb_changes_since_last_save": "0", "rdb_last_save_time": "1"}, "persistence", Level.OK),
        (
            {"rdb_changes_since_last_save": "9", "rdb_last_save_time": "990000"},
            "persistence",
            Level.WARNING,
        ),
        ({"role": "slave", "master_link_status": "down"}, "replication", Level.CRITICAL),
        (
            {"role": "slave", "master_link_status": "up", "master_last_io_seconds_ago": "3"},
            "replication",
            Level.OK,
        ),
        (
            {"connected_slaves": "1", "slave0": "ip=r,port=1,state=online,offset=1,lag=7"},
            "replica r:1",
            Level.WARNING,
        ),
        (
            {"connected_slaves": "1", "slave0": "ip=r,port=1,state=wait_bgsave,offset=1,lag=0"},
            "replica r:1",
            Level.WARNING,
        ),
    ],
)
def test_each_threshold_is_judged(changed: dict[str, str], check: str, level: Level) -> None:
    assert level_of(with_info(**changed), check) is level


def test_slow_pings_slow_commands_and_keys_without_ttl_are_judged() -> None:
    assert level_of(replace(WELL, pings_ms=(0.1, 160.0)), "latency") is Level.CRITICAL
    assert level_of(replace(WELL, slow=10), "slow log") is Level.WARNING
    assert (
        level_of(
            replace(WELL, walk=KeyScan(5, complete=False, without_ttl=1, examples=("cache:a",))),
            "ttl",
        )
        is Level.WARNING
    )


def test_a_client_that_does_not_read_is_named() -> None:
    clients = parse_clients(f"id=7 addr=h:1 name=archiver flags=P psub=1 omem={5 * MIB} cmd=x\n")

    found = [f for f in judge_redis(replace(WELL, clients=clients), RULES) if f.check == "buffers"]

    assert found[0].level is Level.WARNING
    assert "archiver (h:1)" in found[0].what


def test_what_is_denied_is_unknown_and_never_fine() -> None:
    hidden = RedisMeasurements("r", {}, (0.1,), denied={"info": "no permissions"})

    findings = judge_redis(hidden, RULES)

    assert [(f.check, f.level) for f in findings] == [
        ("latency", Level.OK),
        ("info", Level.UNKNOWN),
    ]


def test_every_problem_has_its_fix() -> None:
    sick = with_info(
        used_memory=str(99 * MIB),
        evicted_keys="100000",
        rejected_connections="1000",
        blocked_clients="900",
        rdb_last_bgsave_status="err",
    )

    troubles = [f for f in judge_redis(sick, RULES) if f.level is not Level.OK]

    assert len(troubles) == 5
    assert all(finding.fix for finding in troubles)


def test_a_value_on_the_threshold_counts_as_over_it() -> None:
    assert [grade(value, 1, 2) for value in (0.9, 1, 2)] == [
        Level.OK,
        Level.WARNING,
        Level.CRITICAL,
    ]


def test_percentiles_of_few_samples() -> None:
    assert percentiles(()) == (0.0, 0.0)
    assert percentiles((3.0,)) == (3.0, 3.0)
    assert percentiles(tuple(map(float, range(101)))) == (50.0, 99.0)
