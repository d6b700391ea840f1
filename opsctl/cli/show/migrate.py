"""Formats the previews of `opsctl migrate -n` and `--rehearse`."""

from collections.abc import Iterator

from opsctl.cli.show.text import Block
from opsctl.migrate.preview import FilePreview, RunPreview, describe_lock


def preview_blocks(preview: RunPreview) -> Iterator[Block]:
    if not preview.files:
        yield "nothing to do: all files are applied"
    for file in preview.files:
        yield _block(file)
    if preview.files and preview.rehearsed:
        yield "rehearsed in one transaction and rolled back; nothing was changed"


def _block(file: FilePreview) -> str:
    took = "" if file.duration_ms is None else f" (took {file.duration_ms} ms)"
    non_transactional = " (without a transaction)" if file.non_transactional else ""
    lines = [f"{file.file}{non_transactional}{took}"]
    lines += [f"  {statement}" for statement in file.statements]
    lines += [f"  lock: {describe_lock(lock)}" for lock in file.locks]
    return "\n".join(lines)
