"""Section `deploy`: how long a deploy waits, what it keeps, what it lets pass."""

from opsctl.settings.section import Section, setting


class FreshTable(Section):
    """A table that must have young rows after a deploy."""

    table: str = setting("market_ticks", "Table, or schema.table.", min_length=1)
    column: str = setting("time", "Its column with the time of a row.", min_length=1)
    within_s: float = setting(60.0, "How old the youngest row may be.", gt=0, le=86400)


class Deploy(Section):
    """How long a deploy waits, what it keeps, and what it lets pass."""

    keep_releases: int = setting(
        1,
        "Releases before the running one whose images a clean-up keeps; 0: no unused image stays.",
        ge=0,
        le=50,
    )
    wait_timeout_s: float = setting(
        120.0, "Longest wait until every service is well.", gt=0, le=3600
    )
    stable_s: float = setting(
        5.0,
        "How long a service without a health check must run without a restart.",
        ge=0,
        le=600,
    )
    engine_wait_s: float = setting(
        30.0, "How long putting back waits for an engine that went away.", ge=0, le=3600
    )
    crash_restarts: int = setting(3, "Restarts during a deploy that are a crash loop.", ge=1, le=50)
    log_lines: int = setting(20, "Lines of a failed service's log that are shown.", ge=1, le=1000)
    disk_warn_percent: float = setting(
        80.0, "Used share of the engine's disk that warns, and names the clean-up.", ge=1, le=100
    )
    disk_reserve_mb: int = setting(
        512, "MiB that must stay free on the engine's disk after a deploy.", ge=0
    )
    image_estimate_mb: int = setting(
        512, "MiB that an image is taken for that was never here before.", ge=0
    )
    prune: bool = setting(True, "Clean up after a verified production deploy.")
    spare_young_s: float = setting(
        60.0,
        "A clean-up spares what another compose project created this short a time ago.",
        ge=0,
        le=86400,
    )
    allow_docker_socket: tuple[str, ...] = setting(
        (), "Services that may have the engine's socket, which is root on the host."
    )
    allow_privileged: tuple[str, ...] = setting((), "Services that may be privileged.")
    database_ports: tuple[int, ...] = setting(
        (5432, 6379, 26379, 3306, 1433, 1521, 27017, 9200, 11211),
        "Ports of databases: never published beyond loopback or the tailnet in production.",
    )
    database_images: tuple[str, ...] = setting(
        (
            "postgres",
            "timescale",
            "redis",
            "valkey",
            "mysql",
            "mariadb",
            "mongo",
            "clickhouse",
            "influxdb",
            "elasticsearch",
        ),
        "Words in the name of an image that keeps data.",
    )
    subscribed_channels: tuple[str, ...] = setting(
        (), "Pub/sub channels that must have a subscriber after a deploy."
    )
    fresh_tables: tuple[FreshTable, ...] = setting(
        (), "Tables that must have young rows after a deploy: table, column, within_s."
    )
    gate_timeout_s: float = setting(
        60.0, "Longest wait until the data is as it must be.", gt=0, le=3600
    )
    lock_dir: str = setting(
        "/run/lock",
        "Directory on the engine's machine that every user may write to; deploy locks stand there.",
        pattern=r"^/[A-Za-z0-9._/-]+$",
    )
