"""Removes what earlier runs left behind because they were killed."""

from typing import TYPE_CHECKING

from opsctl.sandbox.ownership import LABEL, is_left_behind
from opsctl.systems.engine.capped_container import KEPT_PREFIX

if TYPE_CHECKING:
    from opsctl.systems.clock import Clock
    from opsctl.systems.engine.capped_container import CappedRunner
    from opsctl.systems.host import Host


def remove_leftovers(sandboxes: "CappedRunner", host: "Host", clock: "Clock") -> tuple[str, ...]:
    """Remove containers, then networks, whose owner is gone; name them."""
    now = clock.now()
    leftovers = []
    for container in sandboxes.find(LABEL):
        running = container.state == "running"
        if container.name.startswith(KEPT_PREFIX) and not running:
            continue
        if is_left_behind(container.labels, host, now=now, is_running=running):
            sandboxes.discard(container.id)
            leftovers.append(container.name)
    for network in sandboxes.networks(LABEL):
        if is_left_behind(network.labels, host, now=now, is_running=False):
            sandboxes.remove_network(network.id)
            leftovers.append(network.name)
    return tuple(leftovers)
