"""The deploy lock: one change at a time to a project on an engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opsctl.deploy.locking.manual_lock import refuse_when_locked
from opsctl.deploy.observe import Observer
from opsctl.deploy.releases.release_log import RUNNING
from opsctl.errors import RefusedError
from opsctl.systems.engine.locks import Claim

if TYPE_CHECKING:
    from opsctl.deploy.context import DeployContext


@contextmanager
def deploy_lock(context: "DeployContext", *, purpose: str, wait_s: float) -> Iterator[None]:
    """Lock the project on its engine, against every user and every machine that deploys there.

    Refused while a person has locked the environment.
    """
    actor = context.actor
    since = f"{context.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    claim = Claim(actor.full_name, actor.pid, since, purpose)
    engine = context.inventory.facts().id
    with context.engine_locks.hold(context.target.project, engine, claim, wait_s=wait_s):
        refuse_when_locked(context)
        yield


def find_other_deploy(observer: Observer) -> Claim | None:
    """Find who else is changing this project now."""
    context = observer.context
    holder = context.engine_locks.holder(context.target.project, context.inventory.facts().id)
    return None if holder is None or holder.pid == context.actor.pid else holder


def refuse_within_hook(context: "DeployContext") -> None:
    """Refuse what would wait for a lock that the deploy, waiting for its hook, never frees."""
    name = context.target.variables.get("OPSCTL_RELEASE", "")
    release = context.store.releases.find(name) if name else None
    if release is not None and release.outcome == RUNNING:
        raise RefusedError(
            f"cannot change {context.target.project} from a hook of its own deploy",
            why=f"release {name} is waiting for this command",
            hint="In a hook use commands that only read, such as status or logs.",
        )
