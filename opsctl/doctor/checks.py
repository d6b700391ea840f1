"""The questions of `opsctl doctor`, one small function each."""

import platform
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from opsctl import __version__
from opsctl.doctor.judge import (
    judge_checkout,
    judge_compose,
    judge_disk,
    judge_settings,
    judge_skew,
)
from opsctl.doctor.model import Check, Patient
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
from opsctl.systems.http import HttpRequest


def checks(patient: Patient) -> tuple[Check, ...]:
    """List what is asked: what opsctl needs always, and each system that settings name."""
    questions: list[tuple[str, Callable[[Patient], Iterator[Finding]]]] = [
        ("opsctl", _versions),
        ("settings", _settings),
        ("state", _state),
        ("git", _git),
        ("disk", _disk),
        ("engine", _engine),
        ("compose", _compose),
    ]
    settings = patient.settings
    if settings.redis.enabled:
        questions.append(("redis", _redis))
    if settings.database.url.get_secret_value():
        questions.append(("postgres", _postgres))
    if settings.doctor.urls:
        questions.append(("urls", _urls))
    return tuple(Check(name, _bound(ask, patient)) for name, ask in questions)
