"""Trees of raw logs with ages, and the ground to clean them on."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsctl.settings import Settings
from opsctl.settings.sections.disk import Disk
from opsctl.settings.sections.project import ProjectSettings
from opsctl.settings.sections.retention import Retention
from tests.fakes.disk_context import REAL_NOW, FakeDiskContext

Ready = Callable[..., FakeDiskContext]


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Ready]:
    """Make ground to clean these roots on."""
    made: list[FakeDiskContext] = []

    def make(
        *roots: Path, state: Path | None = None, mounts: tuple[str, ...] = (), **rules: Any
    ) -> FakeDiskContext:
        named = tuple(str(root) for root in roots)
        retention = Retention(roots=named, allow=named or ("/srv",), **rules)
        settings = Settings(
            project=ProjectSettings(name="stack"), retention=retention, disk=Disk(mounts=mounts)
        )
        ground = FakeDiskContext(state or tmp_path / "state", settings)
        made.append(ground)
        return ground

    yield make
    for ground in made:
        ground.close()


def log(path: Path, *, hours: float, size: int = 10) -> Path:
    """Write a file that was last written to so many hours ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    aged(path, hours=hours)
    return path


def aged(path: Path, *, hours: float) -> None:
    since_epoch = REAL_NOW - timedelta(hours=hours) - datetime.fromtimestamp(0, UTC)
    at = since_epoch // timedelta(microseconds=1) * 1000
    os.utime(path, ns=(at, at), follow_symlinks=False)
