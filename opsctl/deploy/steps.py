"""What each kind of step does; no decision is made here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsctl.deploy.compose_up import bring_up
from opsctl.deploy.guards import Case, objections, refuse
from opsctl.deploy.model import Act, Base, Objection, Running, Step
from opsctl.deploy.plan import changes
from opsctl.deploy.prune.prune import clean_up
from opsctl.deploy.releases import release_log as outcomes
from opsctl.deploy.releases.image_tags import give, protect
from opsctl.deploy.releases.rebuild_image import fetch
from opsctl.deploy.releases.release_log import base_details
from opsctl.deploy.run import Run
from opsctl.deploy.verify.service_health import is_one_shot
from opsctl.deploy.verify.wait import Expected, hold_to_plan, wait_for_data, wait_well
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose import UpOptions
from opsctl.systems.process.run import Finished

# More than anyone goes back.
KEPT_FILES = 50


def preflight(_: Run, __: Step) -> None:
    """Asked before the first step: a refusal must leave no release behind."""


def lock(_: Run, __: Step) -> None:
    """Held by whoever runs the steps, from before the look at the world to the very end."""


def snapshot(run: Run, _: Step) -> None:
    site = run.observer.site
    site.files.make_private_dir(run.file.parent)
    site.files.write_text(run.file, run.draft.text)
    run.ledger.note(run.plan.release, Act.SNAPSHOT, "base", base=base_details(run.base))


def sweep(run: Run, step: Step) -> None:
    run.observer.site.containers.remove(step.what, force=True)


def build(run: Run, step: Step) -> None:
    done = run.observer.site.compose.build(run.project, run.hear, services=step.services)
    _require(run, done, f"could not build {step.what}")


def pull(run: Run, step: Step) -> None:
    done = run.observer.site.compose.pull(run.project, run.hear, services=step.services)
    _require(run, done, f"could not pull {step.what}")


def name_images(run: Run, _: Step) -> None:
    """Let each name mean again what it meant in the release that is brought back."""
    if run.origin is None:
        return
    names = run.origin.names
    give(run.observer, {names[s]: i for s, i in run.origin.images.items() if s in names})


def start(run: Run, step: Step) -> None:
    run.is_touched = True
    _up(run, step.services)
    _well(run, step.services)


def migrate(run: Run, _: Step) -> None:
    if run.helpers.migration is not None:
        run.schema = run.helpers.migration.apply()


def up(run: Run, step: Step) -> None:
    _look_again(run)
    run.is_touched = True
    _up(run, tuple(name for name in step.services if name not in run.excused))


def _look_again(run: Run) -> None:
    """See which images the names mean now; one that a build changed may be a database's."""
    stock = run.observer.site.stock
    found = {name: stock.image(name) for name in run.seen.image_ids}
    ids = {name: image.id if image else None for name, image in found.items()}
    run.seen = replace(run.seen, image_ids=ids)
    services = tuple(changes(run.seen, run.wish, ()))
    case = Case(
        run.seen, replace(run.plan, services=services), run.wish, run.observer.site.settings.deploy
    )
    stateful = tuple(one for one in objections(case) if one.guard == "stateful service")
    refuse(stateful, verb="up")


def _up(run: Run, services: tuple[str, ...]) -> None:
    how = UpOptions(
        services=services,
        wait_timeout_s=None,
        remove_orphans=run.plan.remove_orphans,
        limit_s=_patience(run),
    )
    protect(run.observer, {image: name for name, image in run.base.names.items()})
    done = bring_up(run.observer, run.project, how, run.hear)
    _require(run, done, "docker compose could not bring the services up")


def _patience(run: Run) -> float:
    return run.wish.wait_timeout_s or run.observer.site.settings.deploy.wait_timeout_s


def verify(run: Run, step: Step) -> None:
    run.running = _well(run, tuple(n for n in step.services if n not in run.excused))
    wait_for_data(run.observer, run.helpers.gates, tell=run.helpers.tell)


def _well(run: Run, names: tuple[str, ...]) -> tuple[Running, ...]:
    images = run.seen.image_ids
    wanted = Expected(
        services={name: run.draft.service(name) for name in names},
        images={name: images.get(run.draft.images[name]) for name in names},
        app_env=run.seen.target.app_env,
        restarts_before={one.container.id: one.container.restart_count for one in run.seen.running},
    )
    tell = run.helpers.tell
    running = wait_well(run.observer, wanted, timeout_s=_patience(run), tell=tell)
    hold_to_plan(run.observer, wanted, running)
    return running


def record(run: Run, _: Step) -> None:
    run.digests = _digests(run)
    run.ledger.finish(run.plan.release, outcomes.DONE, details(run))
    run.is_closed = True
    forget_files(run)
    run.left_behind = f"release {run.plan.release} is live; only the clean-up was cut off"


def forget_files(run: Run) -> None:
    """Keep the generated files of the last releases only."""
    for old in run.ledger.recent()[KEPT_FILES:]:
        if old.file:
            run.observer.site.files.remove(Path(old.file))


def details(run: Run, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Say of a release all that is needed to find it and to bring it back."""
    git, draft = run.seen.git, run.draft
    return {
        "kind": run.wish.kind,
        "origin": (run.origin.origin or run.origin.id) if run.origin else "",
        "images": images_of(run),
        "names": {name: draft.images[name] for name in draft.services},
        "digests": run.digests,
        "hashes": dict(draft.hashes),
        "completed": _completed(run),
        "file": str(run.file),
        "digest": draft.digest,
        "services": list(draft.services),
        "is_dirty": run.origin.is_dirty
        if run.origin
        else bool(git and (git.dirty or git.untracked)),
        "schema": run.schema or (run.seen.live.schema if run.seen.live else ""),
        "duration_s": round(run.observer.site.clock.steady() - run.began_at, 3),
        "freed_bytes": run.freed_bytes,
        "base": base_details(run.base),
        "said": run.said[-5:] if more else [],
        **more,
    }


def images_of(run: Run) -> dict[str, str]:
    known = {
        name: image
        for name in run.draft.services
        if (image := run.seen.image_ids.get(run.draft.images[name])) is not None
    }
    return {**known, **{one.service: one.container.image_id for one in run.running}}


def _digests(run: Run) -> dict[str, str]:
    """Say what a registry calls each image, where one gave it."""
    stock = run.observer.site.stock
    found = {service: stock.image(image) for service, image in images_of(run).items()}
    return {name: one.digests[0] for name, one in found.items() if one and one.digests}


def _completed(run: Run) -> list[str]:
    ended = {
        one.service
        for one in run.running
        if one.container.state == "exited"
        and one.service in run.draft.rendered.services
        and is_one_shot(run.draft.service(one.service))
    }
    return sorted(ended | run.excused)


def prune(run: Run, _: Step) -> None:
    """Clean up; whatever goes wrong is a warning, for the release is live."""
    try:
        report = clean_up(run.observer, tell=run.helpers.tell)
    except OpsctlError as error:
        why = f"{error.what}: {error.why}" if error.why else error.what
        run.warnings.append(Objection("prune", why, error.hint, is_warning=True))
        run.ledger.note(run.plan.release, Act.PRUNE, "failed", why=why)
        return
    run.freed_bytes = report.freed_bytes
    run.warnings += report.warnings
    run.ledger.finish(run.plan.release, outcomes.DONE, details(run))


def notify(run: Run, _: Step) -> None:
    """Told in the end, whatever the end is."""


def _require(run: Run, done: Finished, what: str) -> None:
    if done.exit_code:
        said = [line for line in run.said if line.strip(" -")][-3:]
        raise OpsctlError(what, why=f"exit code {done.exit_code}: {' | '.join(said)}")


def base_from(run: Run) -> Base:
    """Write down what runs, so that it can be put back."""
    unfinished = run.seen.unfinished
    if unfinished is not None and unfinished.base:
        # What runs now is half a deploy; what is to be put back is what ran before it.
        return outcomes.base_of(unfinished)
    before = [one for one in run.seen.running if one.is_up]
    live = run.seen.live
    return Base(
        images={one.service: one.container.image_id for one in before},
        names={one.container.image: one.container.image_id for one in before},
        file=live.file if live else "",
        release=live.id if live else "",
        unwell=tuple(sorted({one.service for one in before if is_unwell(one)})),
    )


def is_unwell(one: Running) -> bool:
    return one.container.health == "unhealthy" or one.container.state != "running"


ACTS: dict[Act, Callable[[Run, Step], None]] = {
    Act.PREFLIGHT: preflight,
    Act.LOCK: lock,
    Act.SNAPSHOT: snapshot,
    Act.SWEEP: sweep,
    Act.FETCH: fetch,
    Act.BUILD: build,
    Act.PULL: pull,
    Act.NAME: name_images,
    Act.START: start,
    Act.MIGRATE: migrate,
    Act.UP: up,
    Act.VERIFY: verify,
    Act.RECORD: record,
    Act.PRUNE: prune,
    Act.NOTIFY: notify,
}
