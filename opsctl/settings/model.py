"""All settings, section by section."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, SettingDeclaration, setting, subsection
from opsctl.settings.sections.cache import CacheSettings
from opsctl.settings.sections.database import Database
from opsctl.settings.sections.deploy import Deploy
from opsctl.settings.sections.disk import Disk
from opsctl.settings.sections.doctor import Doctor
from opsctl.settings.sections.engine import Engine
from opsctl.settings.sections.environments import Environments
from opsctl.settings.sections.experiment import ExperimentSettings
from opsctl.settings.sections.limits import LimitsSettings
from opsctl.settings.sections.logs import LogsSettings
from opsctl.settings.sections.migrations import Migrations
from opsctl.settings.sections.notify import Notify
from opsctl.settings.sections.policy import Policy
from opsctl.settings.sections.probe import Probe
from opsctl.settings.sections.project import ProjectSettings
from opsctl.settings.sections.redis import RedisSettings
from opsctl.settings.sections.retention import Retention
from opsctl.settings.sections.sandbox import Sandbox
from opsctl.settings.sections.state import StateSettings

EnvironmentName = Literal["prod", "dev", "local"]


class Settings(Section):
    """opsctl's settings. Every number of the stack lives here, none in code."""

    env: EnvironmentName = setting(
        "dev", "Environment when neither -e nor a variable says: prod, dev or local."
    )
    project: ProjectSettings = subsection(ProjectSettings())
    engine: Engine = subsection(Engine())
    redis: RedisSettings = subsection(RedisSettings())
    database: Database = subsection(Database())
    migrations: Migrations = subsection(Migrations())
    cache: CacheSettings = subsection(CacheSettings())
    limits: LimitsSettings = subsection(LimitsSettings())
    state: StateSettings = subsection(StateSettings())
    logs: LogsSettings = subsection(LogsSettings())
    doctor: Doctor = subsection(Doctor())
    probe: Probe = subsection(Probe())
    experiment: ExperimentSettings = subsection(ExperimentSettings())
    disk: Disk = subsection(Disk())
    retention: Retention = subsection(Retention())
    notify: Notify = subsection(Notify())
    sandbox: Sandbox = subsection(Sandbox())
    environments: Environments = subsection(Environments())
    deploy: Deploy = subsection(Deploy())
    policy: Policy = subsection(Policy())


def sections() -> Iterator[tuple[str, type[Section]]]:
    for name, field in Settings.declared.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


@cache
def fields() -> Mapping[str, SettingDeclaration]:
    """Every value by its dotted path, in the order of the example."""
    found = {"env": Settings.declared["env"]}
    for name, section in sections():
        found |= {f"{name}.{key}": field for key, field in section.declared.items()}
    return found


def variables(path: str, field: SettingDeclaration) -> tuple[str, ...]:
    """Name the environment variables that set a value, the strongest first."""
    return ("OPSCTL_" + path.upper().replace(".", "_"), *field.env)


@cache
def known_variables() -> Mapping[str, str]:
    """Give the path that each variable sets."""
    return {name: path for path, field in fields().items() for name in variables(path, field)}


def is_secret(field: SettingDeclaration) -> bool:
    return field.annotation is Secret


def is_list(field: SettingDeclaration) -> bool:
    return getattr(field.annotation, "__origin__", None) is tuple


def value_at(settings: Settings, path: str) -> Any:
    section, _, key = path.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, key)
