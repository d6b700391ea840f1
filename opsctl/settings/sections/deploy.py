"""Section `deploy`: timeouts, what is kept, and what the preflight checks allow."""

from opsctl.settings.section import Section, setting


class FreshTable(Section):
    """A table that must have fresh rows after a deploy."""

    table: str = setting("market_ticks", "Table, or schema.table.", min_length=1)
    column: str = setting("time", "Column with the time of each row.", min_length=1)
    within_s: float = setting(60.0, "Maximum age of the newest row.", gt=0, le=86400)


def _check_commands(commands: tuple[tuple[str, ...], ...]) -> None:
    if not all(argv and argv[0].strip() for argv in commands):
        raise ValueError("each command is a list of arguments that begins with a program")


class DeployHooks(Section):
    """Commands around a deploy; they run on this machine, in the project's folder."""

    before_up: tuple[tuple[str, ...], ...] = setting(
        (), "Commands before the first container changes.", check=_check_commands
    )
    after_up: tuple[tuple[str, ...], ...] = setting(
        (), "Commands after every service is healthy.", check=_check_commands
    )
    timeout_s: float = setting(300.0, "Longest run of one command.", gt=0, le=86400)


class Deploy(Section):
    """Timeouts of a deploy, what it keeps, and what its preflight checks allow."""

    keep_releases: int = setting(
        1,
        "Previous releases whose images a clean-up keeps; 0 keeps no unused image.",
        ge=0,
        le=50,
    )
    wait_timeout_s: float = setting(
        120.0, "Longest wait until every service is healthy.", gt=0, le=3600
    )
    stable_s: float = setting(
        5.0,
        "How long a service without a health check must run without a restart.",
        ge=0,
        le=600,
    )
    engine_wait_s: float = setting(
        30.0,
        "How long a deploy or a restore waits for an engine that is unreachable.",
        ge=0,
        le=3600,
    )
    crash_restarts: int = setting(
        3, "Restarts during a deploy that count as a crash loop.", ge=1, le=50
    )
    log_lines: int = setting(20, "Log lines that are printed for a failed service.", ge=1, le=1000)
    disk_warn_percent: float = setting(
        80.0, "Used percentage of the engine's disk that causes a warning.", ge=1, le=100
    )
    disk_reserve_mb: int = setting(
        512, "MiB that must stay free on the engine's disk after a deploy.", ge=0
    )
    image_estimate_mb: int = setting(
        512, "Assumed MiB of an image that this engine has never had.", ge=0
    )
    prune: bool = setting(True, "Clean up after a verified production deploy.")
    prune_min_age_s: float = setting(
        60.0,
        "A clean-up keeps what another compose project created less than this time ago.",
        ge=0,
        le=86400,
    )
    allow_docker_socket: tuple[str, ...] = setting(
        (), "Services that may mount the engine's socket, which gives root on the host."
    )
    allow_privileged: tuple[str, ...] = setting((), "Services that may be privileged.")
    allow_unset: tuple[str, ...] = setting(
        (), "Variables that a compose file may use in production without a value."
    )
    database_ports: tuple[int, ...] = setting(
        (5432, 6379, 26379, 3306, 1433, 1521, 27017, 9200, 11211),
        "Ports of databases: in production published only on loopback or the tailnet.",
    )
    database_images: tuple[str, ...] = setting(
        (
            *("postgres", "postgis", "pgvector", "pgvecto", "timescale", "cockroach"),
            *("redis", "valkey", "keydb", "dragonfly"),
            *("mysql", "mariadb", "percona", "mssql"),
            *("mongo", "couchdb", "cassandra", "scylla", "neo4j"),
            *("clickhouse", "influxdb", "elasticsearch", "opensearch"),
        ),
        "Words in an image name that mark a service as a database.",
    )
    stateful_images: tuple[str, ...] = setting(
        (
            *("rabbitmq", "kafka", "redpanda", "nats", "zookeeper", "etcd", "consul", "vault"),
            *("minio", "meilisearch", "typesense", "qdrant", "weaviate", "milvus"),
        ),
        "Words in an image name that mark a service which keeps data, besides databases.",
    )
    stateful: tuple[str, ...] = setting(
        (), "Services that keep data, whatever their image: they need --allow-stateful."
    )
    stateless: tuple[str, ...] = setting(
        (), "Services that neither keep data nor are databases, whatever their image."
    )
    subscribed_channels: tuple[str, ...] = setting(
        (), "Pub/Sub channels that must have a subscriber after a deploy."
    )
    fresh_tables: tuple[FreshTable, ...] = setting(
        (), "Tables that must have fresh rows after a deploy: table, column, within_s."
    )
    data_check_timeout_s: float = setting(
        60.0, "Longest wait until the data checks pass.", gt=0, le=3600
    )
    hooks: DeployHooks = setting(
        DeployHooks(),
        "Commands around a deploy, each a list of arguments: before_up, after_up, timeout_s.",
    )
    lock_dir: str = setting(
        "/run/lock",
        "Directory for deploy locks on the engine's machine, writable by every user.",
        pattern=r"^/[A-Za-z0-9._/-]+$",
    )
