"""`opsctl disk watch`: looks again and again, until it is stopped."""

from collections.abc import Callable

from opsctl.disk.alerts import tell
from opsctl.disk.check import check_disks
from opsctl.disk.context import Parts
from opsctl.disk.model import CheckReport
from opsctl.disk.trend import look_ahead
from opsctl.errors import OpsctlError
from opsctl.logs import logger

log = logger(__name__)


def watch(
    parts: Parts, on_look: Callable[[CheckReport], None], *, looks: int | None = None
) -> None:
    """Look, tell, wait; what fails is logged and tried again at the next look."""
    every_s = parts.settings.disk.watch_every_s
    done = 0
    while looks is None or done < looks:
        began = parts.clock.steady()
        try:
            on_look(check_disks(parts))
            tell(parts, look_ahead(parts).findings)
        except OpsctlError as error:
            log.warning("look failed", extra={"what": error.what, "why": error.why})
        # Tries again what waits, too, however long the channel was down.
        parts.notifier.flush(parts.settings.notify.command_wait_s)
        done += 1
        if looks is None or done < looks:
            parts.clock.sleep(every_s - (parts.clock.steady() - began))
