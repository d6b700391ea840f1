"""Decides which files a project still needs."""

from collections.abc import Iterable, Mapping

from opsctl.errors import RefusedError
from opsctl.init.model import Deed, Draft, Found, Plan, Step

_REFUSED = {
    Found.DIRECTORY: "a directory has that name",
    Found.OUTSIDE: "a link on the way leads out of the project",
    Found.OTHER: "something that is no file has that name",
}


def plan(drafts: Iterable[Draft], found: Mapping[str, Found]) -> Plan:
    """Create what is missing, keep what is there; refuse all if one place cannot be a file."""
    return Plan(tuple(_step(draft, found[str(draft.path)]) for draft in drafts))


def _step(draft: Draft, found: Found) -> Step:
    if found is Found.NOTHING:
        return Step(str(draft.path), Deed.CREATE, "it is missing")
    if found is Found.FILE:
        return Step(str(draft.path), Deed.KEEP, "it is there and is yours")
    raise RefusedError(
        f"Refused to write {draft.path}",
        why=_REFUSED[found],
        hint="Move it out of the way, then run `opsctl init` again; nothing was changed.",
    )
