"""Mounts, for a rollback or a restore, the files as they were when the release ran."""

from collections.abc import Iterator
from dataclasses import replace

from opsctl.deploy.compose_file import read_generated
from opsctl.deploy.model import DeployIssue, GeneratedProject
from opsctl.deploy.mounted.label_project import read_mounted
from opsctl.deploy.mounted.mount_copies import mount_copies
from opsctl.deploy.observe import Observer


def with_stored_files(
    observer: Observer, generated: GeneratedProject, release: str
) -> tuple[GeneratedProject, tuple[str, ...]]:
    """Mount the stored copy of what has changed since; list what was not stored."""
    text, missing = restore_text(observer, generated.text, generated.services, release)
    if text == generated.text:
        return generated, missing
    project = read_generated(text, observer.context.target.profiles)
    restored = replace(generated, text=text, digest=project.digest, rendered=project.rendered)
    return observer.with_config_hashes(restored, None), missing


def restore_text(
    observer: Observer, text: str, services: tuple[str, ...], release: str
) -> tuple[str, tuple[str, ...]]:
    store = observer.file_store
    then = store.read(release)
    if not then:
        return text, ()
    now, _ = read_mounted(observer.context, store, text, services)
    return mount_copies(store, text, release=release, then=then, now=now)


def warn_of_missing(missing: tuple[str, ...], release: str) -> Iterator[DeployIssue]:
    for source in missing:
        what = f"{source} has changed since {release} and was not stored: it stays as it is today"
        yield DeployIssue("mounted files", what, is_warning=True)
