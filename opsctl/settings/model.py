"""All settings, section by section."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo

from opsctl.settings.cache import Cache
from opsctl.settings.database import Database
from opsctl.settings.deploy import Deploy
from opsctl.settings.disk import Disk
from opsctl.settings.doctor import Doctor
from opsctl.settings.engine import Engine
from opsctl.settings.environments import Environments
from opsctl.settings.experiment import Experiment
from opsctl.settings.limits import Limits
from opsctl.settings.logs import Logs
from opsctl.settings.migrations import Migrations
from opsctl.settings.notify import Notify
from opsctl.settings.policy import Policy
from opsctl.settings.probe import Probe
from opsctl.settings.project import Project
from opsctl.settings.redis import Redis
from opsctl.settings.retention import Retention
from opsctl.settings.sandbox import Sandbox
from opsctl.settings.section import Section, setting
from opsctl.settings.state import State

EnvironmentName = Literal["prod", "dev", "local"]


class Settings(Section):
    """opsctl's settings. Every number of the stack lives here, none in code."""

    env: EnvironmentName = setting(
        "dev", "Environment when neither -e nor a variable says: prod, dev or local."
    )
    project: Project = Field(default_factory=Project)
    engine: Engine = Field(default_factory=Engine)
    redis: Redis = Field(default_factory=Redis)
    database: Database = Field(default_factory=Database)
    migrations: Migrations = Field(default_factory=Migrations)
    cache: Cache = Field(default_factory=Cache)
    limits: Limits = Field(default_factory=Limits)
    state: State = Field(default_factory=State)
    logs: Logs = Field(default_factory=Logs)
    doctor: Doctor = Field(default_factory=Doctor)
    probe: Probe = Field(default_factory=Probe)
    experiment: Experiment = Field(default_factory=Experiment)
    disk: Disk = Field(default_factory=Disk)
    retention: Retention = Field(default_factory=Retention)
    notify: Notify = Field(default_factory=Notify)
    sandbox: Sandbox = Field(default_factory=Sandbox)
    environments: Environments = Field(default_factory=Environments)
    deploy: Deploy = Field(default_factory=Deploy)
    policy: Policy = Field(default_factory=Policy)


def sections() -> Iterator[tuple[str, type[Section]]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


@cache
def fields() -> Mapping[str, FieldInfo]:
    """Every value by its dotted path, in the order of the example."""
    found = {"env": Settings.model_fields["env"]}
    for name, section in sections():
        found |= {f"{name}.{key}": field for key, field in section.model_fields.items()}
    return found


def variables(path: str, field: FieldInfo) -> tuple[str, ...]:
    """Name the environment variables that set a value, the strongest first."""
    extra = field.json_schema_extra
    stack = extra.get("env", []) if isinstance(extra, Mapping) else []
    own = "OPSCTL_" + path.upper().replace(".", "_")
    return (own, *(str(name) for name in stack)) if isinstance(stack, list) else (own,)


def is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr


def is_list(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) is tuple


def value_at(settings: Settings, path: str) -> Any:
    section, _, key = path.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, key)
