from typing import Any

import pytest

from opsctl.deploy.preflight.databases import is_data_image, is_database, is_stateful
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_model import Build, Service, Volume
from opsctl.systems.engine.inventory import InventoryImage

VOLUME = Volume("volume", "/data", "shop_data")
POSTGRES = InventoryImage("i", (), (), 1, ports=(5432,), volumes=("/var/lib/postgresql/data",))
REDIS = InventoryImage("i", (), (), 1, ports=(6379,), volumes=("/data",))


def _bind(target: str, *, is_read_only: bool = False) -> Volume:
    return Volume("bind", target, "/srv/x", is_read_only=is_read_only)


@pytest.mark.parametrize(
    "image",
    [
        *("postgres:17", "postgis/postgis:17-3.5", "pgvector/pgvector:pg17", "bitnami/postgresql"),
        *("timescale/timescaledb-ha:pg17", "ghcr.io/immich-app/postgres:14-vectorchord0.4"),
        *("redis", "redis/redis-stack-server:7", "bitnami/redis-cluster", "valkey/valkey:8"),
        *("mysql/mysql-server", "mariadb:11", "mcr.microsoft.com/mssql/server:2022-latest"),
        *("mongo:8", "mongodb/mongodb-community-server", "clickhouse/clickhouse-server:25"),
        *("influxdb:2", "elasticsearch:9.0.0", "docker.elastic.co/elasticsearch/elasticsearch:9"),
        *("host:5000/store-postgres:17.4", "me/postgres@sha256:abc"),
    ],
)
def test_a_database_is_known_by_the_name_of_its_image(image: str) -> None:
    assert is_database(Service("db", image=image), Deploy())


@pytest.mark.parametrize(
    "image",
    [
        *("prometheuscommunity/postgres-exporter", "oliver006/redis_exporter:v1", "mongo-express"),
        *(
            "postgrest/postgrest",
            "redis/redisinsight",
            "rediscommander/redis-commander",
            "pgadmin4",
        ),
        *("prom/mysqld-exporter", "prodrigestivill/postgres-backup-local", "acme/redis-worker"),
        *("dpage/pgadmin4", "nginx", "edoburu/pgbouncer", "redis.example.org/web:1"),
    ],
)
def test_a_tool_for_a_database_is_none(image: str) -> None:
    assert not is_database(Service("x", image=image), Deploy())


def test_the_name_of_the_project_says_nothing_of_an_image_built_here() -> None:
    web = Service("web", image="redis-shop-web", build=Build("."), volumes=(VOLUME,))
    cache = Service("redis", image="redis-shop-redis", build=Build("."), volumes=(VOLUME,))

    assert not is_stateful(web, Deploy(), project="redis-shop")
    assert is_stateful(cache, Deploy(), project="redis-shop")
    assert not is_data_image("web", "redis-shop-web", Deploy(), project="redis-shop")
    assert is_data_image("redis", "redis-shop-redis", Deploy(), project="redis-shop")


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("shop-db", POSTGRES, True),
        ("acme/store:1", REDIS, True),
        ("acme/pg-exporter:1", POSTGRES, False),
        ("acme/web:1", InventoryImage("i", (), (), 1, ports=(8080,), volumes=("/data",)), False),
        ("acme/web:1", InventoryImage("i", (), (), 1, ports=(5432,)), False),
        ("acme/web:1", None, False),
    ],
)
def test_a_database_is_known_by_what_its_image_exposes_and_stores(
    name: str,
    image: InventoryImage | None,
    expected: bool,  # noqa: FBT001 - a case
) -> None:
    service = Service("db", image=name, volumes=(VOLUME,))

    assert is_database(service, Deploy(), image=image) is expected
    assert is_stateful(service, Deploy(), image=image) is expected


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        (VOLUME, True),
        (Volume("volume", "/data"), False),
        (Volume("tmpfs", "/data"), False),
        (_bind("/var/lib/postgresql/data"), True),
        (_bind("/var/lib/postgresql"), True),
        (_bind("/bitnami/postgresql"), True),
        (_bind("/somewhere"), True),
        (_bind("/var/lib/postgresql/data", is_read_only=True), False),
        (_bind("/docker-entrypoint-initdb.d"), False),
        (_bind("/docker-entrypoint-initdb.d/init.sql"), False),
        (_bind("/etc/postgresql"), False),
        (_bind("/etc/localtime"), False),
        (_bind("/usr/local/etc/redis/redis.conf"), False),
        (_bind("/usr/share/elasticsearch/config/certs"), False),
    ],
)
def test_data_is_in_a_named_volume_or_a_folder_that_is_no_configuration(
    volume: Volume,
    expected: bool,  # noqa: FBT001 - a case
) -> None:
    service = Service("db", image="postgres:17", volumes=(volume,))

    assert is_stateful(service, Deploy()) is expected
    assert is_stateful(service, Deploy(), image=POSTGRES) is expected


@pytest.mark.parametrize("image", ["rabbitmq:4-management", "bitnami/rabbitmq", "minio/minio"])
def test_a_broker_or_store_keeps_data_and_may_be_published(image: str) -> None:
    service = Service("mq", image=image, volumes=(_bind("/data"),))

    assert is_stateful(service, Deploy())
    assert not is_database(service, Deploy())


@pytest.mark.parametrize(
    ("service", "settings", "expected"),
    [
        (Service("files", image="acme/files:1"), {"stateful": ("files",)}, True),
        (
            Service("db", image="postgres", volumes=(VOLUME,)),
            {"stateless": ("db",)},
            False,
        ),
    ],
)
def test_the_settings_have_the_last_word(
    service: Service,
    settings: dict[str, Any],
    expected: bool,  # noqa: FBT001 - a case
) -> None:
    deploy = Deploy(**settings)

    assert is_stateful(service, deploy) is expected
    assert is_data_image(service.name, service.image, deploy, project="p") is expected
    assert not is_database(service, deploy)
