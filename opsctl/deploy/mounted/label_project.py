"""Labels the services of a generated project by the files that they mount."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from opsctl.deploy.compose_file import read_generated
from opsctl.deploy.context import DeployContext
from opsctl.deploy.model import GeneratedProject, RecordedRelease, ServiceContainer
from opsctl.deploy.mounted.find_sources import find_sources
from opsctl.deploy.mounted.labels import (
    FILES_LABEL,
    choose_label,
    find_changed_files,
    make_label,
    with_labels,
)
from opsctl.deploy.mounted.model import MountedFiles, SourceKind
from opsctl.deploy.mounted.read_files import ReadScope, read_sources
from opsctl.deploy.mounted.stored_files import FileStore
from opsctl.errors import OpsctlError

KEY_FILE = "files.key"


def label_project(
    context: DeployContext,
    store: FileStore,
    generated: GeneratedProject,
    containers: Iterable[ServiceContainer],
    current: RecordedRelease | None,
) -> GeneratedProject:
    """Read what the services mount, and label them so that compose sees what has changed."""
    mounted, scope = read_mounted(context, store, generated.text, generated.services)
    running = {found.service: found.container.labels.get(FILES_LABEL, "") for found in containers}
    labels, chosen = {}, {}
    for name, sources in mounted.items():
        labels[name] = make_label(sources, project=scope.project, key=scope.key)
        recorded = current.file_labels.get(name, "") if current else ""
        container = running.get(name)
        chosen[name] = choose_label(labels[name], container=container, recorded=recorded)
    before = store.read(current.id) if current else {}
    labelled = read_generated(with_labels(generated.text, chosen), context.target.profiles)
    return replace(
        labelled,
        mounted=mounted,
        file_labels=labels,
        changed_files=find_changed_files(mounted, before, project=scope.project),
    )


def read_mounted(
    context: DeployContext, store: FileStore, text: str, services: Collection[str]
) -> tuple[MountedFiles, ReadScope]:
    """Read what the services of a project mount today; git is asked only where they mount files."""
    files, directory = context.contents, context.target.directory.absolute()
    sources = () if context.target.is_remote else find_sources(text, services)
    scope = ReadScope(files.resolve(directory), files.resolve(directory), frozenset(), b"")
    if not sources:
        return {}, scope
    files.make_private_dir(store.folder)
    scope = replace(scope, key=files.read_key(store.folder / KEY_FILE))
    if any(source.kind is not SourceKind.SECRET for source in sources):
        scope = _ask_git(context, scope, directory)
    return read_sources(files, sources, scope), scope


def _ask_git(context: DeployContext, scope: ReadScope, directory: Path) -> ReadScope:
    try:
        names, top_level = context.git.tracked(directory), context.git.top_level(directory)
    except OpsctlError:
        # Not a checkout: then nothing is tracked.
        return scope
    return replace(
        scope, top_level=top_level, tracked=frozenset(top_level / name for name in names)
    )


def keep_recorded(
    merged: GeneratedProject,
    labelled: GeneratedProject,
    names: Collection[str],
    before: MountedFiles,
    current: RecordedRelease,
) -> GeneratedProject:
    """In a partial deploy, leave what other services mount as the current release has it."""
    others = set(merged.services) - set(names)
    return replace(
        merged,
        mounted={
            **{name: found for name, found in before.items() if name in others},
            **{name: found for name, found in labelled.mounted.items() if name in names},
        },
        file_labels={
            **{name: found for name, found in current.file_labels.items() if name in others},
            **{name: found for name, found in labelled.file_labels.items() if name in names},
        },
        changed_files={n: f for n, f in labelled.changed_files.items() if n in names},
    )
