"""What `opsctl migrate -n` and `--rehearse` show."""

from collections.abc import Iterator

from opsctl.cli.show.text import Block
from opsctl.migrate.preview import FilePreview, RunPreview


def blocks(forecast: RunPreview) -> Iterator[Block]:
    if not forecast.files:
        yield "nothing to do: all files are applied"
    for preview in forecast.files:
        yield _block(preview)
    if forecast.files and forecast.rehearsed:
        yield "rehearsed in one transaction, and rolled back: nothing was changed"


def _block(preview: FilePreview) -> str:
    took = "" if preview.duration_ms is None else f" (took {preview.duration_ms} ms)"
    alone = " (without a transaction)" if preview.alone else ""
    lines = [f"{preview.file}{alone}{took}"]
    lines += [f"  {statement}" for statement in preview.statements]
    lines += [f"  lock: {told(lock)}" for lock in preview.locks]
    return "\n".join(lines)
