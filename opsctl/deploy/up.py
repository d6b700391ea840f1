"""From what was asked to a run that is ready: look, plan, ask the guards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from opsctl.deploy.guards import Case, objections, refuse
from opsctl.deploy.model import Objection, Plan, Seen, Wish
from opsctl.deploy.observe import Observer
from opsctl.deploy.plan import plan
from opsctl.deploy.run import Helpers, Run
from opsctl.systems.engine.locks import Claim

if TYPE_CHECKING:
    from opsctl.deploy.context import Site

SETTLE_S, SETTLE_LIMIT_S = 1.0, 20.0


def prepare(observer: Observer, wish: Wish, helpers: Helpers) -> Run:
    """Plan a deploy, and stop here when a guard says no."""
    seen = observer.look(wish, helpers.migration)
    settings = observer.site.settings.deploy
    planned = plan(
        seen,
        wish,
        release=observer.ledger.new_id(),
        prunes=seen.target.is_prod and settings.prune,
        notifies=helpers.notifier is not None,
    )
    return Run(observer, guarded(observer, seen, planned, wish), seen, wish, helpers)


def guarded(observer: Observer, seen: Seen, planned: Plan, wish: Wish) -> Plan:
    """Put the guards' warnings into the plan; raise when one of them refuses."""
    found = objections(Case(seen, planned, wish, observer.site.settings.deploy))
    refuse(found, verb=wish.kind)
    warnings = (*_unfinished(observer, seen), *_unknown(seen), *found)
    return replace(planned, warnings=warnings)


def _unfinished(observer: Observer, seen: Seen) -> Iterator[Objection]:
    release, holder = seen.unfinished, at_work(observer)
    if holder is not None:
        yield Objection(
            "at work", f"this plan may be outdated soon: {holder.said}", is_warning=True
        )
    elif release is not None:
        yield Objection(
            "unfinished release",
            f"release {release.id}, begun {release.started_at:%Y-%m-%d %H:%M:%S} UTC by"
            f" {release.who}, was cut off in step {release.last_step}; this run goes on from there",
            f"To go back instead: opsctl rollback -e {release.env}",
            is_warning=True,
        )


def _unknown(seen: Seen) -> Iterator[Objection]:
    if seen.running and seen.live is None:
        yield Objection(
            "unknown origin",
            f"what runs of {seen.target.project} was not started by opsctl: should this fail, its"
            " images are put back, with the configuration of today",
            is_warning=True,
        )


def at_work(observer: Observer) -> Claim | None:
    """Say who else is changing this project just now."""
    site = observer.site
    holder = site.engine_locks.holder(site.target.project, site.stock.facts().id)
    return None if holder is None or holder.pid == site.actor.pid else holder


@contextmanager
def engine_lock(site: "Site", *, purpose: str, wait_s: float) -> Iterator[None]:
    """Hold the project on its engine, against every user and every machine that deploys there."""
    actor = site.actor
    who = f"{actor.who} ({actor.sudo_user})" if actor.sudo_user else actor.who
    since = f"{site.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    claim = Claim(who, actor.pid, since, purpose)
    engine = site.stock.facts().id
    with site.engine_locks.hold(site.target.project, engine, claim, wait_s=wait_s):
        yield


def settle(observer: Observer) -> None:
    """After a kill, let what the engine was still doing come to its end."""
    site = observer.site
    if observer.ledger.unfinished() is None:
        return
    end = site.clock.steady() + SETTLE_LIMIT_S
    before = None
    while site.clock.steady() < end:
        now = tuple((one.id, one.name, one.state) for one in observer.containers())
        if now == before:
            return
        before = now
        site.clock.sleep(SETTLE_S)
