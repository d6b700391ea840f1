"""`opsctl disk watch`: checks the disks at an interval, until it is stopped."""

from collections.abc import Callable

from opsctl.disk.alerts import report_findings
from opsctl.disk.check import check_disks
from opsctl.disk.context import DiskContext
from opsctl.disk.model import DiskCheckReport
from opsctl.disk.trend import forecast_disks
from opsctl.errors import OpsctlError
from opsctl.logs import logger

log = logger(__name__)


def watch_disks(
    context: DiskContext,
    on_check: Callable[[DiskCheckReport], None],
    *,
    max_checks: int | None = None,
) -> None:
    """Check, report, wait; a failed check is logged, and the next one retries."""
    every_s = context.settings.disk.watch_every_s
    done = 0
    while max_checks is None or done < max_checks:
        began = context.clock.steady()
        try:
            on_check(check_disks(context))
            report_findings(context, forecast_disks(context).findings)
        except OpsctlError as error:
            log.warning("check failed", extra={"what": error.what, "why": error.why})
        # Retries queued messages as well, however long the channel was down.
        context.notifier.flush(context.settings.notify.command_wait_s)
        done += 1
        if max_checks is None or done < max_checks:
            context.clock.sleep(every_s - (context.clock.steady() - began))
