"""The deploy lock: one change at a time to a project on an engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opsctl.deploy.observe import Observer
from opsctl.systems.engine.locks import Claim

if TYPE_CHECKING:
    from opsctl.deploy.context import DeployContext


@contextmanager
def deploy_lock(context: "DeployContext", *, purpose: str, wait_s: float) -> Iterator[None]:
    """Lock the project on its engine, against every user and every machine that deploys there."""
    actor = context.actor
    who = f"{actor.who} ({actor.sudo_user})" if actor.sudo_user else actor.who
    since = f"{context.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    claim = Claim(who, actor.pid, since, purpose)
    engine = context.inventory.facts().id
    with context.engine_locks.hold(context.target.project, engine, claim, wait_s=wait_s):
        yield


def find_other_deploy(observer: Observer) -> Claim | None:
    """Find who else is changing this project now."""
    context = observer.context
    holder = context.engine_locks.holder(context.target.project, context.inventory.facts().id)
    return None if holder is None or holder.pid == context.actor.pid else holder
