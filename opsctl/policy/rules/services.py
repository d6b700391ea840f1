"""Rules: every service knows its environment, is watched, bounded, logged and restarted."""

from collections.abc import Iterator

from opsctl.findings import Level
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedComposeFile, CheckedProject, line_in_compose
from opsctl.systems.engine.compose_model import Service

APP_ENV = {"prod": "production", "dev": "development", "local": "development"}
_ENDS_WELL = "service_completed_successfully"
# Keep their own size, or hand the lines to something that does.
_BOUNDED = frozenset({"local", "journald", "syslog", "none", "gelf", "fluentd", "awslogs"})


def service_violation(
    file: CheckedComposeFile, service: Service, what: str, key: str = ""
) -> Violation:
    line = line_in_compose(file.source, service.name, key)
    return Violation(f"{service.name}: {what}", file.source.path, line)


def each_service(project: CheckedProject) -> Iterator[tuple[CheckedComposeFile, Service]]:
    return ((file, service) for file in project.composes for service in file.services())


def is_one_shot(file: CheckedComposeFile, service: Service) -> bool:
    """Say whether it runs once to its end: others wait for that, or it is a test."""
    awaited = any(other.depends_on.get(service.name) == _ENDS_WELL for other in file.services())
    return awaited or is_test(file, service)


def is_test(file: CheckedComposeFile, service: Service) -> bool:
    words = service.name.replace("_", "-").split("-")
    named = {"test", "tests", "ci"} & {*words, *service.profiles}
    return file.env == "test" or bool(named)


@rule(
    "compose-unrendered",
    Severity.ERROR,
    reason="Rules read what compose makes of a file: with what it includes, extends and fills in.",
    fix="`docker compose -f FILE config` shows more; required values belong in .env.example.",
)
def unrendered(project: CheckedProject) -> Iterator[Violation]:
    for file in project.composes:
        if file.error_text:
            what = f"compose cannot render it: {file.error_text}"
            yield Violation(what, file.source.path, 1, level=Level.UNKNOWN)


@rule(
    "compose-app-env",
    Severity.ERROR,
    reason="Every container learns from APP_ENV (production or development) where it runs.",
    fix="environment: APP_ENV: ${APP_ENV:-production} (or development).",
)
def app_env(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        # By an env_file it is this machine's own, and right where it runs.
        given = service.environment.get("APP_ENV") or ""
        wanted = APP_ENV.get(file.env)
        if not given:
            yield service_violation(file, service, "no APP_ENV", "environment")
        elif given not in APP_ENV.values():
            yield service_violation(
                file, service, "APP_ENV is neither production nor development", "APP_ENV"
            )
        elif wanted not in {None, given} and "APP_ENV" in file.source.text:
            yield service_violation(file, service, f"APP_ENV is not {wanted}", "APP_ENV")


@rule(
    "compose-healthcheck",
    Severity.ERROR,
    reason="Without a health check a crash loop looks like a good deploy.",
    fix="healthcheck: with test, interval, timeout, retries and start_period.",
)
def healthcheck(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        if not service.has_healthcheck and not is_one_shot(file, service):
            yield service_violation(file, service, "no health check", "healthcheck")


@rule(
    "compose-limits",
    Severity.ERROR,
    reason="One service without limits takes the whole server with it.",
    fix="mem_limit and cpus (or deploy.resources.limits).",
)
def limits(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        lacks = []
        if service.caps.memory_bytes is None:
            lacks.append("memory")
        if service.caps.cpus is None:
            lacks.append("cpus")
        if lacks:
            yield service_violation(file, service, f"no limit on {' and '.join(lacks)}")


@rule(
    "compose-log-rotation",
    Severity.ERROR,
    reason="A log without a bound fills the disk at night.",
    fix='logging: {driver: json-file, options: {max-size: "10m", max-file: "3"}}.',
)
def log_rotation(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        logging = service.logging
        if logging.driver in {"", "json-file"} and not logging.options.get("max-size"):
            yield service_violation(file, service, "its log grows without a bound", "logging")
        elif logging.driver not in {"", "json-file", *_BOUNDED}:
            what = f"it is not known whether the log driver {logging.driver} has a bound"
            yield service_violation(file, service, what, "logging")


@rule(
    "compose-restart",
    Severity.ERROR,
    reason="After a reboot or a crash at night nobody is there to start it.",
    fix='restart: unless-stopped; in development say restart: "no" on purpose.',
)
def restart(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        if is_one_shot(file, service):
            continue
        if not service.restart:
            yield service_violation(file, service, "no restart policy", "restart")
        elif service.restart == "no" and file.env in {"prod", ""}:
            yield service_violation(file, service, "it is never restarted", "restart")


RULES: tuple[Rule[CheckedProject], ...] = (
    unrendered,
    app_env,
    healthcheck,
    limits,
    log_rotation,
    restart,
)
