"""One ground for each kind of database."""

from pathlib import Path

import pytest

from tests.migration_setup import KINDS, MigrationSetup, set_up_migrations, url_of


@pytest.fixture(params=KINDS)
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> MigrationSetup:
    """Every kind of database, fresh."""
    url = url_of(request.param, tmp_path, request.getfixturevalue)
    return set_up_migrations(request.param, url, tmp_path / "migrations")


@pytest.fixture(params=["postgres", "timescale"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> MigrationSetup:
    """PostgreSQL 15 and 17, fresh."""
    url = url_of(request.param, tmp_path, request.getfixturevalue)
    return set_up_migrations(request.param, url, tmp_path / "migrations")


@pytest.fixture(params=["sqlite", "duckdb"])
def embedded(request: pytest.FixtureRequest, tmp_path: Path) -> MigrationSetup:
    """A database that is one file."""
    url = url_of(request.param, tmp_path, request.getfixturevalue)
    return set_up_migrations(request.param, url, tmp_path / "migrations")


@pytest.fixture
def file(tmp_path: Path) -> MigrationSetup:
    """SQLite: what differs by dialect is not the claim."""
    return set_up_migrations(
        "sqlite", url_of("sqlite", tmp_path, lambda _: None), tmp_path / "migrations"
    )
