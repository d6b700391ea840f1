"""A real TimescaleDB for each test worker, in a container, and a fresh database for each test."""

from collections.abc import Iterator

import pytest

from tests.engines.databases import Database, create_database, drop_database
from tests.engines.docker import TIMESCALE, DockerEngine
from tests.engines.require import give_up
from tests.waiting import wait_for

_PASSWORD = "p@ss/word"
_START_S = 100


@pytest.fixture(scope="session")
def timescale_engine(request: pytest.FixtureRequest) -> DockerEngine:
    """Find an engine that has the image; the reason names timescale, whatever is missing."""
    try:
        engine: DockerEngine = request.getfixturevalue("docker_engine")
    except pytest.skip.Exception as missing:
        give_up("timescale", str(missing))
    engine.need_image("timescale", TIMESCALE)
    return engine


@pytest.fixture(scope="session")
def timescale_server(timescale_engine: DockerEngine) -> Iterator[Database]:
    """Start one container for this worker; this is its administrator's database."""
    address = timescale_engine.address
    options = ["--publish", f"{address}::5432", "--env", f"POSTGRES_PASSWORD={_PASSWORD}"]
    container = timescale_engine.start(TIMESCALE, "-c", "fsync=off", options=options)
    published = timescale_engine.run("port", container, "5432/tcp").splitlines()[0]
    port = int(published.rpartition(":")[2])
    admin = Database(address, port, "postgres", "postgres", _PASSWORD)
    wait_for(admin.answers, _START_S, "TimescaleDB to answer")
    yield admin
    timescale_engine.run("rm", "--force", "--volumes", container)


@pytest.fixture
def timescale(timescale_server: Database) -> Iterator[Database]:
    """A database with the extension, as the image's own new databases have it."""
    database = create_database(timescale_server)
    yield database
    drop_database(timescale_server, database.dbname)
