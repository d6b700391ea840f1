"""Reads what a call to the Docker Engine API would change."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote

from opsctl.systems.engine.guarded_engine import Action, CallTarget

API_VERSION = re.compile(r"^/v[0-9.]+(?=/)")
# What `exec` starts was allowed or refused when it was made.
HARMLESS = re.compile("auth|exec/[^/]+/(start|resize)|containers/[^/]+/(wait|attach|resize)")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Part of this API for everything that has more than one of it.
TARGETS = {
    "containers": CallTarget.CONTAINER,
    "networks": CallTarget.NETWORK,
    "volumes": CallTarget.VOLUME,
}
ACTIONS = {"archive": Action.COPY, "exec": Action.EXEC}


@dataclass(frozen=True, slots=True)
class RequestedChange:
    """What a call asks for; `reference` is a name, an id, or the beginning of one."""

    target: CallTarget
    action: str
    reference: str = ""
    labels: Mapping[str, str] | None = field(default=None, repr=False)
    """Of what is created; None: of what exists already."""


def read_change(method: str, path: str, body: bytes = b"") -> RequestedChange | None:
    """Read one call; None when it changes nothing."""
    plain_path, _, query = API_VERSION.sub("", path).partition("?")
    plain_path = plain_path.strip("/")
    if method in READING or HARMLESS.fullmatch(plain_path):
        return None
    kind, *rest = (unquote(part) for part in plain_path.split("/"))
    change = None
    if kind in TARGETS and rest:
        change = _read_object_change(TARGETS[kind], method, rest, query, body)
    elif kind == "images":
        change = _read_image_change(method, rest, query)
    return change or RequestedChange(CallTarget.ENGINE, f"{method} {plain_path}")


def _read_object_change(
    target: CallTarget, method: str, rest: list[str], query: str, body: bytes
) -> RequestedChange | None:
    match method, rest:
        case "POST", ["create"]:
            # Only a container has its name in the address.
            name = _read_query(query, "name") or _read_text(body, "Name")
            return _read_created(target, name, body)
        case "POST", [_, ("connect" | "disconnect") as action] if target is CallTarget.NETWORK:
            return RequestedChange(CallTarget.CONTAINER, action, _read_text(body, "Container"))
        case "DELETE", [name]:
            return RequestedChange(target, Action.REMOVE, name)
        case _, [name, action]:
            return RequestedChange(target, ACTIONS.get(action, action), name)
    return None


def _read_image_change(method: str, rest: list[str], query: str) -> RequestedChange | None:
    if method == "DELETE":
        return RequestedChange(CallTarget.IMAGE, Action.REMOVE, "/".join(rest))
    if rest == ["create"]:
        name = f"{_read_query(query, 'fromImage')}:{_read_query(query, 'tag')}".strip(":")
        return RequestedChange(CallTarget.IMAGE, "pull", name)
    return None


def _read_query(query: str, key: str) -> str:
    return parse_qs(query).get(key, [""])[0]


def needs_body(method: str, path: str) -> bool:
    """Whether the body says what is changed."""
    parts = API_VERSION.sub("", path).partition("?")[0].strip("/").split("/")
    is_known = parts[0] in TARGETS and parts[-1] in {"create", "connect", "disconnect"}
    return method == "POST" and is_known


def inspect_path(change: RequestedChange, path: str) -> str:
    """Where the engine describes what is to be changed; in the version of the call itself."""
    version = found[0] if (found := API_VERSION.match(path)) else ""
    kind = next(kind for kind, target in TARGETS.items() if target is change.target)
    end = "/json" if change.target is CallTarget.CONTAINER else ""
    return f"{version}/{kind}/{quote(change.reference, safe='')}{end}"


def read_description(text: bytes) -> tuple[str, Mapping[str, str]]:
    """Read name and labels of a container, a network or a volume."""
    raw = json.loads(text)
    labels = (raw.get("Config") or raw).get("Labels")
    return str(raw["Name"]).removeprefix("/"), labels or {}


def _read_created(target: CallTarget, name: str, body: bytes) -> RequestedChange:
    labels = _read_object(body).get("Labels")
    return RequestedChange(
        target, Action.CREATE, name, dict(labels) if isinstance(labels, dict) else {}
    )


def _read_text(body: bytes, key: str) -> str:
    return str(_read_object(body).get(key) or "")


def _read_object(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
