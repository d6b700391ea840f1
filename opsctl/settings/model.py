"""All settings, section by section."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from opsctl.settings.cache import Cache
from opsctl.settings.database import Database
from opsctl.settings.disk import Disk
from opsctl.settings.doctor import Doctor
from opsctl.settings.engine import Engine
from opsctl.settings.experiment import Experiment
from opsctl.settings.limits import Limits
from opsctl.settings.logs import Logs
from opsctl.settings.migrations import Migrations
from opsctl.settings.notify import Notify
from opsctl.settings.probe import Probe
from opsctl.settings.project import Project
from opsctl.settings.redis import Redis
from opsctl.settings.retention import Retention
from opsctl.settings.section import Section, setting
from opsctl.settings.state import State

EnvironmentName = Literal["prod", "dev", "local"]


class Settings(Section):
    """opsctl's settings. Every number of the stack lives here, none in code."""

    env: EnvironmentName = setting(
        "dev", "Environment when neither -e nor a variable says: prod, dev or local."
    )
    project: Project = Project()
    engine: Engine = Engine()
    redis: Redis = Redis()
    database: Database = Database()
    migrations: Migrations = Migrations()
    cache: Cache = Cache()
    limits: Limits = Limits()
    state: State = State()
    logs: Logs = Logs()
    doctor: Doctor = Doctor()
    probe: Probe = Probe()
    experiment: Experiment = Experiment()
    disk: Disk = Disk()
    retention: Retention = Retention()
    notify: Notify = Notify()


def sections() -> Iterator[tuple[str, type[Section]]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


def fields() -> dict[str, FieldInfo]:
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
