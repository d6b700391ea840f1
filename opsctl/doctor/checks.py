"""The questions of `opsctl doctor`, one small function each."""

import platform
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from opsctl import __version__
from opsctl.doctor.judge import (
    judge_checkout,
    judge_disk,
    judge_dotenv,
    judge_http_status,
    judge_settings,
    judge_skew,
)
from opsctl.doctor.model import DoctorCheck, DoctorContext
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level, Marks
from opsctl.systems.http.client import HttpRequest


def list_checks(patient: DoctorContext) -> tuple[DoctorCheck, ...]:
    """List what is asked: what opsctl needs always, and each system that settings name."""
    questions: list[tuple[str, Callable[[DoctorContext], Iterator[Finding]]]] = [
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
    return tuple(DoctorCheck(name, _bound(ask, patient)) for name, ask in questions)


def _bound(
    ask: Callable[[DoctorContext], Iterator[Finding]], patient: DoctorContext
) -> Callable[[], Iterator[Finding]]:
    return lambda: ask(patient)


def _versions(patient: DoctorContext) -> Iterator[Finding]:
    python = platform.python_version()
    said = f"opsctl {__version__} on Python {python}, {platform.system()} {platform.release()}"
    yield Finding("opsctl", Level.OK, f"{said}, as {patient.host.user().name}")


def _settings(patient: DoctorContext) -> Iterator[Finding]:
    yield from judge_settings(patient.loaded)


def _state(patient: DoctorContext) -> Iterator[Finding]:
    patient.open_store()
    yield Finding("state", Level.OK, f"kept in {patient.state_directory}")


def _git(patient: DoctorContext) -> Iterator[Finding]:
    facts = patient.git.facts(patient.directory)
    yield from judge_checkout(
        commit=facts.head if facts else None,
        dirty=len(facts.dirty) if facts else 0,
        experiment=patient.experiment,
    )
    if facts:
        tracked = Path(".env") in patient.git.tracked(patient.directory)
        yield judge_dotenv(tracked=tracked, ignored=".env" not in facts.untracked)


def _disk(patient: DoctorContext) -> Iterator[Finding]:
    settings = patient.settings.disk
    for folder in _measured(patient):
        usage = patient.host.usage(folder)
        yield from judge_disk(
            str(usage.mount),
            percent=usage.percent,
            inode_percent=usage.inode_percent,
            marks=Marks(*settings.marks(str(usage.mount))),
        )


def _measured(patient: DoctorContext) -> tuple[Path, ...]:
    """Measure each mount once: the project's, and the one that holds images and volumes."""
    wanted = (patient.directory, Path(patient.settings.disk.engine_dir))
    mounts = sorted((mount.path for mount in patient.host.mounts()), key=_depth, reverse=True)
    holders = (next((m for m in mounts if path.is_relative_to(m)), path) for path in wanted)
    return tuple(dict.fromkeys(holders))


def _depth(path: Path) -> int:
    return len(path.parts)


def _engine(patient: DoctorContext) -> Iterator[Finding]:
    version = patient.containers.version()
    yield Finding("engine", Level.OK, f"Docker Engine {version.engine}, API {version.api}")
    yield _skew(patient, "engine", patient.containers.now)


def _compose(patient: DoctorContext) -> Iterator[Finding]:
    yield Finding("compose", Level.OK, f"Docker Compose {patient.compose.version()}")


def _redis(patient: DoctorContext) -> Iterator[Finding]:
    facts = patient.redis.facts()
    yield Finding("redis", Level.OK, f"{facts.version} ({facts.role}) at {patient.redis.address}")
    yield _skew(patient, "redis", lambda: patient.redis.facts().now)


def _postgres(patient: DoctorContext) -> Iterator[Finding]:
    with patient.postgres.session(read_only=True) as session:
        facts = session.facts()
        scale = facts.extensions.get("timescaledb")
        extra = f" with TimescaleDB {scale}" if scale else ""
        said = f"PostgreSQL {facts.version}{extra} at {patient.postgres.address}"
        yield Finding("postgres", Level.OK, said)
        yield _skew(patient, "postgres", lambda: session.facts().now)


def _urls(patient: DoctorContext) -> Iterator[Finding]:
    settings = patient.settings.doctor
    for number, url in enumerate(settings.urls, start=1):
        name = f"url {number}"
        try:
            answer = patient.http.send(HttpRequest(url, limit_s=settings.timeout_s))
        except OpsctlError as error:
            yield Finding(name, Level.CRITICAL, f"{error.what}: {error.why}", fix=error.hint)
            continue
        yield judge_http_status(name, answer.status)


def _skew(patient: DoctorContext, name: str, ask: Callable[[], datetime]) -> Finding:
    before = patient.clock.now()
    theirs = ask()
    limit_s = patient.settings.doctor.clock_skew_s
    return judge_skew(name, theirs, before=before, after=patient.clock.now(), limit_s=limit_s)
