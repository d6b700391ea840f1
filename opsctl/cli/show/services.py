"""Text of what was done to single services."""

from opsctl.cli.show.text import Block, Table
from opsctl.deploy.services.restart import RestartPlan, RestartReport


def view_restart_plan(plan: RestartPlan) -> list[Block]:
    title = f"{plan.project} on {plan.engine}"
    rows = tuple(
        (restart.service, restart.container, "restart", restart.reason) for restart in plan.restarts
    )
    if not rows:
        return [f"{title}: nothing runs"]
    return [title, Table(("service", "container", "change", "reason"), rows)]


def view_restart(report: RestartReport) -> list[Block]:
    rows = tuple(
        (service.service, service.container, service.health or service.state)
        for service in report.services
    )
    if not rows:
        return [f"{report.project} on {report.engine}: nothing runs"]
    result = f"{report.project}: restarted in {report.duration_s:g} s"
    return [Table(("service", "container", "health"), rows), "", result]
