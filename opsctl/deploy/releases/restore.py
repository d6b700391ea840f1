"""Puts back what ran before: the same file, the same images, verified again."""

from pathlib import Path

from opsctl.deploy.compose_file import only
from opsctl.deploy.compose_up import bring_up, sweep
from opsctl.deploy.model import Base, Running
from opsctl.deploy.observe import FILES, Observer
from opsctl.deploy.releases.image_tags import give
from opsctl.deploy.verify.wait import Expected, Tell, hold_to_plan, wait_well
from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.engine.compose import UpOptions
from opsctl.systems.engine.compose_model import RenderedProject, read_rendered
from opsctl.systems.files.local import MissingFileError
from opsctl.systems.process.output import Line

POLL_S = 0.5


def restore(observer: Observer, base: Base, *, draft_text: str, tell: Tell) -> tuple[Running, ...]:
    """Bring back what `base` describes; raise when that is not what runs in the end."""
    wait_for_engine(observer, tell=tell)
    give(observer, base.names)
    sweep(observer)
    if base.is_empty:
        _take_down(observer, tell=tell)
        return ()
    file, project = _file(observer, base, draft_text)
    return _up(observer, base, file=file, rendered=project, tell=tell)


def wait_for_engine(observer: Observer, *, tell: Tell) -> None:
    """An engine that is being restarted comes back; one that does not needs a person."""
    site = observer.site
    end = site.clock.steady() + site.settings.deploy.engine_wait_s
    while True:
        try:
            site.containers.now()
        except UnreachableError:
            if site.clock.steady() >= end:
                raise
        else:
            return
        tell("waiting for the container engine")
        site.clock.sleep(POLL_S)


def _take_down(observer: Observer, *, tell: Tell) -> None:
    """Nothing ran before: remove what was started, volumes never."""
    site = observer.site
    done = site.compose.down(
        site.target.compose_project(), lambda line: tell(line.text), stop_timeout_s=10
    )
    if done.exit_code:
        raise OpsctlError("could not take down what was started", why=done.complaint)


def _file(observer: Observer, base: Base, draft_text: str) -> tuple[Path, RenderedProject]:
    """Take the file that it ran from, or else today's with the services and images of before."""
    site = observer.site
    try:
        if base.file:
            return Path(base.file), read_rendered(site.files.read_text(Path(base.file)))
    except MissingFileError:
        pass
    service_names = {service: _name_of(base, image) for service, image in base.images.items()}
    text = only(draft_text, service_names)
    path = site.state_directory / FILES / f"restore-{site.target.env}.json"
    site.files.make_private_dir(path.parent)
    site.files.write_text(path, text)
    return path, read_rendered(text)


def _name_of(base: Base, image: str) -> str:
    return next((name for name, one in base.names.items() if one == image), image)


def _up(
    observer: Observer, base: Base, *, file: Path, rendered: RenderedProject, tell: Tell
) -> tuple[Running, ...]:
    site = observer.site
    services = tuple(sorted(set(base.images) & set(rendered.services)))
    project = site.target.compose_project(file, secrets=rendered.secrets)
    timeout_s = site.settings.deploy.wait_timeout_s
    how = UpOptions(services=services, wait_timeout_s=None, remove_orphans=True, limit_s=timeout_s)
    said: list[str] = []

    def hear(line: Line) -> None:
        said.append(line.text)
        tell(line.text)

    before = {one.container.id: one.container.restart_count for one in observer.running()}
    done = bring_up(observer, project, how, hear)
    if done.exit_code:
        raise OpsctlError("could not bring back what ran before", why=" | ".join(said[-5:]))
    wanted = Expected(
        services={n: rendered.services[n] for n in services if n not in base.unwell},
        images=dict(base.images),
        restarts_before=before,
    )
    running = wait_well(observer, wanted, timeout_s=timeout_s, tell=tell)
    missing = sorted(set(base.images) - set(services))
    if missing:
        raise OpsctlError("could not bring back every service", why=f"no record of {missing}")
    hold_to_plan(observer, wanted, running)
    return running
