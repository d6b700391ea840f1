"""Renders compose files as they would run, without the secrets and without the network."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opsctl.errors import OpsctlError, SettingsError
from opsctl.policy.project import CheckedComposeFile, SourceFile
from opsctl.settings.reading.choose_environment import app_env
from opsctl.settings.reading.parse_dotenv import read_dotenv
from opsctl.systems.engine.compose import Compose, ComposeProject
from opsctl.systems.engine.compose_model import RenderedProject

_FILE = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml\Z", re.IGNORECASE)
_REQUIRED = re.compile(r"\$\{(?P<name>[A-Za-z_]\w*):?\?")
_ENVS = {
    "prod": "prod",
    "production": "prod",
    "dev": "dev",
    "development": "dev",
    "local": "local",
    "test": "test",
    "tests": "test",
    "ci": "test",
}
# Fits wherever a value is required: a port, a number, a name.
STAND_IN = "1"
# Rendering asks no engine; the address is only said so that none is guessed.
_NO_ENGINE = "unix:///dev/null"
# What a file includes from elsewhere is not fetched: a check reads, and runs nothing.
_OFFLINE = {"COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false", "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false"}


def is_compose(source: SourceFile) -> bool:
    return bool(_FILE.match(source.name))


def environment_of(name: str) -> str:
    """Tell from a file's name which environment it is for."""
    words = re.split(r"[._-]", name.lower())
    return next((_ENVS[word] for word in words if word in _ENVS), "")


@dataclass(frozen=True, slots=True)
class ComposeRenderer:
    root: Path
    compose: Compose
    sources: Mapping[str, SourceFile]

    def render(self, source: SourceFile) -> CheckedComposeFile:
        """Render one file alone; as a layer over its base where it does not stand alone."""
        env = environment_of(source.name)
        folder = source.path.rpartition("/")[0]
        given = self._given(source, env, folder)
        layers: list[tuple[SourceFile, ...]] = [(source,)]
        base = self._base(source, folder)
        if base is not None:
            layers.append((base, source))
        error_text = ""
        for files in layers:
            try:
                rendered = self._rendered(files, folder, given)
            except OpsctlError as error:
                error_text = error.why or error.what
            else:
                return CheckedComposeFile(source, env, rendered, given=given)
        return CheckedComposeFile(source, env, error_text=" ".join(error_text.split()), given=given)

    def _rendered(
        self, files: tuple[SourceFile, ...], folder: str, given: Mapping[str, str]
    ) -> RenderedProject:
        project = ComposeProject(
            name="opsctl-check",
            directory=self.root / folder,
            files=tuple(self.root / source.path for source in files),
            engine=_NO_ENGINE,
            # Not the .env of this machine: the answer is the same here and in CI.
            env_files=(Path(os.devnull),),
            environment={**given, **_OFFLINE},
        )
        return self.compose.config(project)

    def _base(self, source: SourceFile, folder: str) -> SourceFile | None:
        for name in ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"):
            path = f"{folder}/{name}" if folder else name
            if path in self.sources and path != source.path:
                return self.sources[path]
        return None

    def _given(self, source: SourceFile, env: str, folder: str) -> Mapping[str, str]:
        """Fill in what the file wants from outside: the example's values, or a stand-in."""
        values = {match["name"]: STAND_IN for match in source.find(_REQUIRED)}
        values |= self._example(folder)
        if env in {"prod", "dev", "local"}:
            values["APP_ENV"] = app_env(env)
        return {name: value for name, value in values.items() if value}

    def _example(self, folder: str) -> Mapping[str, str]:
        for name in (".env.example", ".env.sample", ".env.template"):
            source = self.sources.get(f"{folder}/{name}" if folder else name)
            if source is not None:
                try:
                    return {one.name: one.value for one in read_dotenv(source.text, name)}
                except SettingsError:
                    return {}
        return {}
