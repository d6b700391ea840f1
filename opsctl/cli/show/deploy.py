"""How plans, deploys, releases and clean-ups look on a terminal."""

from collections.abc import Iterable

from opsctl.cli.show.text import Block, Table
from opsctl.deploy.down import DownPlan
from opsctl.deploy.model import Change, Deployed, Objection, Plan, Recorded
from opsctl.deploy.prune.plan import PrunePlan
from opsctl.deploy.prune.prune import Pruned
from opsctl.deploy.status import Status

SHORT = 12
KIB = 1024
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def view_plan(plan: Plan) -> list[Block]:
    title = f"{plan.project} on {plan.engine}: release {plan.release}"
    if plan.is_idle:
        title = f"{plan.project} on {plan.engine}: nothing would change"
    steps = tuple((step.act.value, step.what, step.reason) for step in plan.steps)
    services = tuple((one.service, one.change.value, one.reason) for one in plan.services)
    return [
        title,
        Table(("step", "what", "why"), steps),
        "",
        Table(("service", "change", "why"), services),
        *_warnings(plan.warnings),
    ]


def view_deployed(done: Deployed) -> list[Block]:
    rows = tuple(
        (
            one.service,
            one.health or one.state,
            one.change or Change.KEEP,
            one.image,
            short(one.image_id),
        )
        for one in done.services
    )
    said = f"{done.project}: {done.outcome}, release {done.release} in {done.duration_s:g} s"
    if done.outcome == "unchanged":
        said = f"{done.project}: nothing changed, all is well (release {done.release or 'none'})"
    freed = f"; {size(done.freed_bytes)} came free" if done.freed_bytes else ""
    table = Table(("service", "health", "change", "image", "id"), rows)
    return [table, "", said + freed, *_warnings(done.warnings)]


def view_down(plan: DownPlan) -> list[Block]:
    rows = tuple((step.what, step.reason) for step in plan.steps)
    title = f"{plan.project} on {plan.engine}: {plan.volumes}"
    return [title, Table(("step", "why"), rows)] if rows else [title, "nothing runs"]


def view_prune(plan: PrunePlan) -> list[Block]:
    rows = tuple((d.kind.value, d.name, size(d.size_bytes), d.reason) for d in plan.doomed)
    kept = tuple((k.name, short(k.image), k.reason) for k in plan.kept)
    return [
        Table(("remove", "name", "size", "why"), rows),
        "",
        Table(("keep", "image", "why"), kept),
        "volumes stay, always",
    ]


def view_pruned(done: Pruned) -> list[Block]:
    rows = tuple((d.kind.value, d.name, size(d.size_bytes)) for d in done.removed)
    said = f"{len(done.removed)} things removed, {size(done.freed_bytes)} came free"
    return [Table(("removed", "name", "size"), rows), "", said, *_warnings(done.warnings)]


def view_status(status: Status) -> list[Block]:
    rows = tuple(
        (
            one.service,
            one.state,
            one.health,
            one.image,
            short(one.image_id),
            str(one.restarts),
            "" if one.cpu_percent is None else f"{one.cpu_percent:g} %",
            "" if one.memory_bytes is None else size(one.memory_bytes),
            one.drift,
        )
        for one in status.services
    )
    head = ("service", "state", "health", "image", "id", "restarts", "cpu", "memory", "drift")
    commit = f" ({short(status.git_sha)} {status.git_subject})" if status.git_sha else ""
    title = f"{status.project} on {status.engine}: release {status.release or 'none'}{commit}"
    holder = [f"at work: {status.holder}"] if status.holder else []
    troubles = [f for f in status.findings if f.fix]
    return [
        title,
        *holder,
        Table(head, rows),
        *([""] if troubles else []),
        *(f"{one.level}: {one.check}: {one.what}. {one.fix}" for one in troubles),
    ]


HISTORY = (
    "release", "commit", "subject", "who", "when", "took", "outcome", "images", "schema", "freed",
    "why",
)  # fmt: skip


def view_history(releases: Iterable[Recorded]) -> list[Block]:
    rows = tuple(_history_row(one) for one in releases)
    return [Table(HISTORY, rows)] if rows else ["no release yet"]


def _history_row(one: Recorded) -> tuple[str, ...]:
    images = " ".join(f"{name}={short(image)}" for name, image in sorted(one.images.items()))
    dirty = "+" if one.is_dirty else ""
    outcome = f"{one.outcome} (back to {one.origin})" if one.origin else one.outcome
    return (
        one.id,
        short(one.git_sha) + dirty,
        one.git_subject,
        one.who,
        f"{one.started_at:%Y-%m-%d %H:%M:%S}",
        f"{one.duration_s:.1f} s",
        outcome,
        images,
        one.schema,
        size(one.freed_bytes) if one.freed_bytes else "",
        one.reason,
    )


def _warnings(found: Iterable[Objection]) -> list[Block]:
    return [f"warning: {one.what}" + (f" ({one.fix})" if one.fix else "") for one in found]


def short(name: str) -> str:
    return name.removeprefix("sha256:")[:SHORT]


def size(count: int) -> str:
    """Say bytes in the unit that reads best."""
    value = float(count)
    for unit in UNITS[:-1]:
        if value < KIB:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= KIB
    return f"{value:.1f} {UNITS[-1]}"
