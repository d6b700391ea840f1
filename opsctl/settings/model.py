"""All settings, section by section."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from opsctl.settings.secret import Secret
from opsctl.settings.section import Declared, Section, part, setting
from opsctl.settings.sections.cache import Cache
from opsctl.settings.sections.database import Database
from opsctl.settings.sections.deploy import Deploy
from opsctl.settings.sections.disk import Disk
from opsctl.settings.sections.doctor import Doctor
from opsctl.settings.sections.engine import Engine
from opsctl.settings.sections.environments import Environments
from opsctl.settings.sections.experiment import Experiment
from opsctl.settings.sections.limits import Limits
from opsctl.settings.sections.logs import Logs
from opsctl.settings.sections.migrations import Migrations
from opsctl.settings.sections.notify import Notify
from opsctl.settings.sections.policy import Policy
from opsctl.settings.sections.probe import Probe
from opsctl.settings.sections.project import Project
from opsctl.settings.sections.redis import Redis
from opsctl.settings.sections.retention import Retention
from opsctl.settings.sections.sandbox import Sandbox
from opsctl.settings.sections.state import State

EnvironmentName = Literal["prod", "dev", "local"]


class Settings(Section):
    """opsctl's settings. Every number of the stack lives here, none in code."""

    env: EnvironmentName = setting(
        "dev", "Environment when neither -e nor a variable says: prod, dev or local."
    )
    project: Project = part(Project())
    engine: Engine = part(Engine())
    redis: Redis = part(Redis())
    database: Database = part(Database())
    migrations: Migrations = part(Migrations())
    cache: Cache = part(Cache())
    limits: Limits = part(Limits())
    state: State = part(State())
    logs: Logs = part(Logs())
    doctor: Doctor = part(Doctor())
    probe: Probe = part(Probe())
    experiment: Experiment = part(Experiment())
    disk: Disk = part(Disk())
    retention: Retention = part(Retention())
    notify: Notify = part(Notify())
    sandbox: Sandbox = part(Sandbox())
    environments: Environments = part(Environments())
    deploy: Deploy = part(Deploy())
    policy: Policy = part(Policy())


def sections() -> Iterator[tuple[str, type[Section]]]:
    for name, field in Settings.declared.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


@cache
def fields() -> Mapping[str, Declared]:
    """Every value by its dotted path, in the order of the example."""
    found = {"env": Settings.declared["env"]}
    for name, section in sections():
        found |= {f"{name}.{key}": field for key, field in section.declared.items()}
    return found


def variables(path: str, field: Declared) -> tuple[str, ...]:
    """Name the environment variables that set a value, the strongest first."""
    return ("OPSCTL_" + path.upper().replace(".", "_"), *field.env)


@cache
def known_variables() -> Mapping[str, str]:
    """Give the path that each variable sets."""
    return {name: path for path, field in fields().items() for name in variables(path, field)}


def is_secret(field: Declared) -> bool:
    return field.annotation is Secret


def is_list(field: Declared) -> bool:
    return getattr(field.annotation, "__origin__", None) is tuple


def value_at(settings: Settings, path: str) -> Any:
    section, _, key = path.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, key)
