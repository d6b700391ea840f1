"""One database for one test, made on a server that is there, and dropped afterwards."""

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
from psycopg import sql


@dataclass(frozen=True, slots=True)
class Database:
    host: str
    port: int
    dbname: str
    user: str
    password: str
    socket_dir: Path | None = None

    @property
    def url(self) -> str:
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{login}@{self.host}:{self.port}/{self.dbname}"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True, connect_timeout=20)

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def create_database(admin: Database) -> Database:
    name = f"t_{uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return replace(admin, dbname=name)


def drop_database(admin: Database, dbname: str) -> None:
    """Drop it, whoever is still connected: a failed test must not fail the next."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(dbname))
    with admin.connect() as connection:
        connection.execute(statement)
