"""Text of deploy plans, reports, status, history and clean-ups."""

from collections.abc import Iterable

from opsctl.cli.show.text import Block, Table
from opsctl.deploy.down import DownPlan
from opsctl.deploy.model import (
    DeployIssue,
    DeployPlan,
    DeployReport,
    RecordedRelease,
    ServiceChange,
)
from opsctl.deploy.prune.plan import PrunePlan, SparedImage, describe_missing_images
from opsctl.deploy.prune.prune import PruneReport
from opsctl.deploy.status import DeployStatus, ServiceStatus
from opsctl.units import format_bytes

SHORT_ID = 12
STATUS_HEAD = (
    "service", "state", "health", "image", "id", "restarts", "cpu", "memory", "drift",
)  # fmt: skip
HISTORY_HEAD = (
    "release", "commit", "subject", "who", "when", "took", "outcome", "images", "schema", "freed",
    "reason",
)  # fmt: skip


def view_plan(plan: DeployPlan) -> list[Block]:
    title = f"{plan.project} on {plan.engine}: release {plan.release}"
    if plan.is_idle:
        title = f"{plan.project} on {plan.engine}: nothing would change"
    steps = tuple((step.kind.value, step.what, step.reason) for step in plan.steps)
    services = tuple((s.service, s.change.value, s.reason) for s in plan.services)
    resources = tuple((f"{r.kind} {r.name}", r.change, r.reason) for r in plan.resources)
    return [
        title,
        Table(("step", "what", "reason"), steps),
        "",
        Table(("service", "change", "reason"), (*services, *resources)),
        *_view_warnings(plan.warnings),
    ]


def view_report(report: DeployReport) -> list[Block]:
    rows = tuple(
        (
            service.service,
            service.health or service.state,
            service.change or ServiceChange.KEEP,
            service.image,
            short_id(service.image_id),
        )
        for service in report.services
    )
    result = f"{report.outcome}, release {report.release} in {report.duration_s:g} s"
    if report.outcome == "unchanged":
        result = f"nothing changed, all services are healthy (release {report.release or 'none'})"
    freed = f"; freed {format_bytes(report.freed_bytes)}" if report.freed_bytes else ""
    table = Table(("service", "health", "change", "image", "id"), rows)
    return [table, "", f"{report.project}: {result}{freed}", *_view_warnings(report.warnings)]


def view_down(plan: DownPlan) -> list[Block]:
    rows = tuple((step.what, step.reason) for step in plan.steps)
    title = f"{plan.project} on {plan.engine}: {plan.volumes}"
    return [title, Table(("step", "reason"), rows)] if rows else [title, "nothing runs"]


def view_prune_plan(plan: PrunePlan) -> list[Block]:
    rows = tuple(
        (item.kind.value, item.name, format_bytes(item.size_bytes), item.reason)
        for item in plan.remove
    )
    kept = tuple((image.name, short_id(image.image), image.reason) for image in plan.kept)
    missing = describe_missing_images(plan, result="nothing would be removed")
    return [
        Table(("remove", "name", "size", "reason"), rows),
        "",
        Table(("keep", "image", "reason"), kept),
        *_view_spared(plan.spared),
        "volumes are always kept",
        *_view_warnings((missing,) if missing else ()),
    ]


def _view_spared(images: Iterable[SparedImage]) -> list[Block]:
    """List what stays because of other projects; whoever knows better removes it by name."""
    return [
        f"kept for project {image.project}: {image.name}"
        f" (if that project is gone: docker rmi {image.name})"
        for image in images
    ]


def view_prune_report(report: PruneReport) -> list[Block]:
    rows = tuple(
        (item.kind.value, item.name, format_bytes(item.size_bytes)) for item in report.removed
    )
    result = f"removed {len(rows)} items, freed {format_bytes(report.freed_bytes)}"
    table = Table(("removed", "name", "size"), rows)
    return [table, "", result, *_view_spared(report.spared), *_view_warnings(report.warnings)]


def view_status(status: DeployStatus) -> list[Block]:
    commit = f" ({short_id(status.git_sha)} {status.git_subject})" if status.git_sha else ""
    title = f"{status.project} on {status.engine}: release {status.release or 'none'}{commit}"
    holder = [f"deploy in progress: {status.holder}"] if status.holder else []
    if status.locked:
        holder.append(f"{status.locked} (to lift it: opsctl unlock -e {status.env})")
    problems = [finding for finding in status.findings if finding.fix]
    return [
        title,
        *holder,
        Table(STATUS_HEAD, tuple(_status_row(service) for service in status.services)),
        *([""] if problems else []),
        *(f"{found.level}: {found.check}: {found.what}. {found.fix}" for found in problems),
    ]


def _status_row(service: ServiceStatus) -> tuple[str, ...]:
    cpu, memory = service.cpu_percent, service.memory_bytes
    return (
        service.service,
        service.state,
        service.health,
        service.image,
        short_id(service.image_id),
        str(service.restarts),
        "" if cpu is None else f"{cpu:g} %",
        "" if memory is None else format_bytes(memory),
        service.drift,
    )


def view_history(releases: Iterable[RecordedRelease]) -> list[Block]:
    rows = tuple(_history_row(release) for release in releases)
    return [Table(HISTORY_HEAD, rows)] if rows else ["no release yet"]


def _history_row(release: RecordedRelease) -> tuple[str, ...]:
    images = (f"{name}={short_id(image)}" for name, image in sorted(release.images.items()))
    dirty = "+" if release.is_dirty else ""
    restored = f" (rolled back to {release.origin})" if release.origin else ""
    return (
        release.id,
        short_id(release.git_sha) + dirty,
        release.git_subject,
        release.who,
        f"{release.started_at:%Y-%m-%d %H:%M:%S}",
        f"{release.duration_s:.1f} s",
        f"{release.outcome}{restored}",
        " ".join(images),
        release.schema,
        format_bytes(release.freed_bytes) if release.freed_bytes else "",
        release.reason,
    )


def _view_warnings(warnings: Iterable[DeployIssue]) -> list[Block]:
    return [
        f"warning: {issue.what}" + (f" ({issue.fix})" if issue.fix else "") for issue in warnings
    ]


def short_id(name: str) -> str:
    return name.removeprefix("sha256:")[:SHORT_ID]
