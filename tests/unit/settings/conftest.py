from collections.abc import Callable
from pathlib import Path

import pytest

from opsctl.settings import LoadedSettings, SettingsRequest, load_settings

PROJECT = Path("/project")
Load = Callable[..., LoadedSettings]


@pytest.fixture
def load_from() -> Load:
    """Load settings from files told as a mapping, environment and flags."""

    def load_them(
        files: dict[str, str] | None = None,
        *,
        environ: dict[str, str] | None = None,
        env: str | None = None,
        flags: dict[str, object] | None = None,
        directory: Path = PROJECT,
        config: str | None = None,
    ) -> LoadedSettings:
        texts = {
            PROJECT / name: text for name, text in (files or {"configs/opsctl.yaml": ""}).items()
        }
        named = Path(config) if config else None
        return load_settings(
            SettingsRequest(directory, environ or {}, named, env, flags), texts.get
        )

    return load_them
