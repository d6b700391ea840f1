import socket
from pathlib import Path

import psycopg
import pytest
import redis

from tests.engines.addresses import Address
from tests.engines.databases import Database
from tests.engines.disks import SmallDisk
from tests.engines.postgres import PostgresServer
from tests.engines.redis import OwnRedis, RedisServer


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_database(postgres: Database, turn: int) -> None:
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE left_by_the_other AS SELECT %s::int AS turn", [turn])

        rows = connection.execute("SELECT turn FROM left_by_the_other").fetchall()

    assert rows == [(turn,)]


def test_postgres_answers_on_its_socket_too(postgres: Database) -> None:
    connection = psycopg.connect(
        host=str(postgres.socket_dir),
        port=postgres.port,
        dbname=postgres.dbname,
        user=postgres.user,
        password=postgres.password,
    )

    with connection:
        assert connection.info.dbname == postgres.dbname


def test_postgres_wants_its_password(postgres: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url.replace("p%40ss", "wrong"), connect_timeout=5)


def test_a_killed_postgres_comes_back_with_its_rows(own_postgres: PostgresServer) -> None:
    with own_postgres.admin.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")

    own_postgres.kill()
    gone = own_postgres.admin.answers()
    own_postgres.start()

    assert not gone
    with own_postgres.admin.connect() as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_a_frozen_postgres_does_not_answer_until_it_thaws(own_postgres: PostgresServer) -> None:
    own_postgres.freeze()
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        psycopg.connect(own_postgres.admin.url, connect_timeout=2)

    own_postgres.thaw()

    assert own_postgres.admin.answers()


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_redis(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        keys_at_first = client.dbsize()
        client.set("left by", turn)

        assert keys_at_first == 0
        assert client.dbsize() == 1


def test_a_redis_of_ones_own_takes_a_password_and_settings(own_redis: OwnRedis) -> None:
    server = own_redis(password="pa:ss@1", config=["maxmemory 3mb"])

    with redis.Redis.from_url(server.url()) as client:
        assert client.info("memory")["maxmemory"] == 3 * 1024 * 1024


def test_a_killed_redis_starts_again_on_its_port(own_redis: OwnRedis) -> None:
    server = own_redis()

    server.kill()
    gone = server.cli("PING")
    server.start()

    assert gone != "PONG"
    assert server.cli("PING") == "PONG"


def test_a_frozen_redis_is_silent(own_redis: OwnRedis) -> None:
    server = own_redis()
    server.freeze()

    with (
        redis.Redis.from_url(server.url(), socket_timeout=0.2, retry=None) as client,
        pytest.raises(redis.TimeoutError),
    ):
        client.ping()


def test_two_servers_do_not_share_a_port(own_redis: OwnRedis, redis_server: RedisServer) -> None:
    assert own_redis().address != redis_server.address


def test_a_timescale_database_has_the_extension(timescale: Database) -> None:
    with timescale.connect() as connection:
        connection.execute("CREATE TABLE ticks (at timestamptz NOT NULL, price int)")
        connection.execute("SELECT create_hypertable('ticks', 'at')")

        extension = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
        assert connection.execute(extension).fetchone() == ("2.19.3",)


@pytest.mark.usefixtures("root_machine")
def test_a_small_disk_can_be_filled(small_disk: SmallDisk) -> None:
    disk = small_disk(8)

    with pytest.raises(OSError, match="No space left"):
        Path(disk / "too-much").write_bytes(bytes(16 * 1024 * 1024))


def test_a_dead_address_refuses(dead_address: Address) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(dead_address, timeout=1)


def test_a_black_hole_connects_and_is_silent(black_hole: Address) -> None:
    with socket.create_connection(black_hole, timeout=1) as client:
        client.settimeout(0.1)
        client.sendall(b"PING\r\n")

        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_full_backlog_leaves_the_client_in_connect(full_backlog: Address) -> None:
    with pytest.raises(TimeoutError):
        socket.create_connection(full_backlog, timeout=0.3)
