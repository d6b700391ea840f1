"""The checks of `opsctl doctor`, one small function each."""

import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from opsctl import __version__
from opsctl.doctor.judge import (
    judge_checkout,
    judge_dotenv,
    judge_http_status,
    judge_settings,
    judge_skew,
)
from opsctl.doctor.model import DoctorCheck, DoctorContext
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level, Thresholds
from opsctl.health_rules.disk import CleanupOptions, judge_mount, mount_of, suggest_fix
from opsctl.systems.http.client import HttpRequest


def list_checks(context: DoctorContext) -> tuple[DoctorCheck, ...]:
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
    settings = context.settings
    if settings.redis.enabled:
        questions.append(("redis", _redis))
    if settings.database.url.get_secret_value():
        questions.append(("postgres", _postgres))
    if settings.doctor.urls:
        questions.append(("urls", _urls))
    return tuple(DoctorCheck(name, _bound(ask, context)) for name, ask in questions)


def _bound(
    ask: Callable[[DoctorContext], Iterator[Finding]], context: DoctorContext
) -> Callable[[], Iterator[Finding]]:
    return lambda: ask(context)


def _versions(context: DoctorContext) -> Iterator[Finding]:
    python = platform.python_version()
    message = f"opsctl {__version__} on Python {python}, {platform.system()} {platform.release()}"
    yield Finding("opsctl", Level.OK, f"{message}, as {context.host.user().name}")


def _settings(context: DoctorContext) -> Iterator[Finding]:
    yield from judge_settings(context.loaded)


def _state(context: DoctorContext) -> Iterator[Finding]:
    context.open_store()
    yield Finding("state", Level.OK, f"kept in {context.state_directory}")


def _git(context: DoctorContext) -> Iterator[Finding]:
    facts = context.git.facts(context.directory)
    yield from judge_checkout(
        commit=facts.head if facts else None,
        dirty=len(facts.dirty) if facts else 0,
        experiment=context.experiment,
    )
    if facts:
        tracked = Path(".env") in context.git.tracked(context.directory)
        yield judge_dotenv(tracked=tracked, ignored=".env" not in facts.untracked)


def _disk(context: DoctorContext) -> Iterator[Finding]:
    disk = context.settings.disk
    mounted = tuple(mount.path for mount in context.host.mounts())
    options = CleanupOptions(Path(disk.engine_dir))
    for folder in _measured(context, mounted):
        usage = context.host.usage(folder)
        yield from judge_mount(
            usage,
            thresholds=Thresholds(*disk.thresholds(str(usage.mount))),
            fix=suggest_fix(usage.mount, mounted, options),
        )


def _measured(context: DoctorContext, mounted: Sequence[Path]) -> tuple[Path, ...]:
    """Measure each mount once: the project's, and the one that holds images and volumes."""
    paths = (context.directory, Path(context.settings.disk.engine_dir))
    return tuple(dict.fromkeys(mount_of(path, mounted) or path for path in paths))


def _engine(context: DoctorContext) -> Iterator[Finding]:
    version = context.containers.version()
    yield Finding("engine", Level.OK, f"Docker Engine {version.engine}, API {version.api}")
    yield _skew(context, "engine", context.containers.now)


def _compose(context: DoctorContext) -> Iterator[Finding]:
    yield Finding("compose", Level.OK, f"Docker Compose {context.compose.version()}")


def _redis(context: DoctorContext) -> Iterator[Finding]:
    facts = context.redis.facts()
    yield Finding("redis", Level.OK, f"{facts.version} ({facts.role}) at {context.redis.address}")
    yield _skew(context, "redis", lambda: context.redis.facts().now)


def _postgres(context: DoctorContext) -> Iterator[Finding]:
    with context.postgres.session(read_only=True) as session:
        facts = session.facts()
        scale = facts.extensions.get("timescaledb")
        extra = f" with TimescaleDB {scale}" if scale else ""
        message = f"PostgreSQL {facts.version}{extra} at {context.postgres.address}"
        yield Finding("postgres", Level.OK, message)
        yield _skew(context, "postgres", lambda: session.facts().now)


def _urls(context: DoctorContext) -> Iterator[Finding]:
    settings = context.settings.doctor
    for number, url in enumerate(settings.urls, start=1):
        name = f"url {number}"
        try:
            answer = context.http.send(HttpRequest(url, limit_s=settings.timeout_s))
        except OpsctlError as error:
            yield Finding(name, Level.CRITICAL, f"{error.what}: {error.why}", fix=error.hint)
            continue
        yield judge_http_status(name, answer.status)


def _skew(context: DoctorContext, name: str, ask: Callable[[], datetime]) -> Finding:
    before = context.clock.now()
    theirs = ask()
    limit_s = context.settings.doctor.clock_skew_s
    return judge_skew(name, theirs, before=before, after=context.clock.now(), limit_s=limit_s)
