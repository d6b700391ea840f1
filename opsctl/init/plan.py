"""Decides which files a project still needs."""

from collections.abc import Iterable, Mapping

from opsctl.errors import RefusedError
from opsctl.init.model import Deed, Draft, Found, InstallSource, Plan, Step

_REFUSED = {
    Found.DIRECTORY: "a directory has that name",
    Found.OUTSIDE: "a link on the way leads out of the project",
    Found.OTHER: "something that is no file has that name",
}


def plan(
    drafts: Iterable[Draft], found: Mapping[str, Found], source: InstallSource | None = None
) -> Plan:
    """Create what is missing, keep what is there; refuse all if one place cannot be a file."""
    steps = tuple(_step(draft, found[str(draft.path)]) for draft in drafts)
    return Plan(steps, source.location if source else None)


def _step(draft: Draft, found: Found) -> Step:
    if found is Found.NOTHING:
        return Step(str(draft.path), Deed.CREATE, _reason("it is missing", draft.created_note))
    if found is Found.FILE:
        return Step(
            str(draft.path), Deed.KEEP, _reason("it is there and is yours", draft.kept_note)
        )
    raise RefusedError(
        f"Refused to write {draft.path}",
        why=_REFUSED[found],
        hint="Move it out of the way, then run `opsctl init` again; nothing was changed.",
    )


def _reason(reason: str, note: str) -> str:
    return f"{reason}; {note}" if note else reason
