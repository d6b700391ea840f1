"""Parses mounts and variables from the command line."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.errors import RefusedError, UsageError
from opsctl.sandbox.model import BindMount
from opsctl.systems.files.local import PathKind

if TYPE_CHECKING:
    from opsctl.systems.files.local import Files

SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")
_MODES = {"": False, "ro": False, "rw": True}


def parse_mount(text: str, base: Path, files: "Files") -> BindMount:
    """Read SOURCE:TARGET[:rw]; links are followed now: what is judged is what is mounted."""
    source, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    if not source or not target or mode not in _MODES:
        hint = "Use SOURCE:TARGET or SOURCE:TARGET:rw, e.g. --mount .:/work"
        raise UsageError(f"{text!r} is not a mount", hint=hint)
    return resolve_mount(base / Path(source).expanduser(), target, files, writable=_MODES[mode])


def resolve_mount(source: Path, target: str, files: "Files", *, writable: bool) -> BindMount:
    resolved = files.resolve(source)
    if files.kind(resolved) is PathKind.NOTHING:
        raise UsageError(f"cannot mount {source}", why="there is no such file or folder")
    for name in SOCKETS:
        if resolved.name == name or files.kind(resolved / name) is not PathKind.NOTHING:
            why = f"it contains {name}, which gives root on this machine"
            raise RefusedError(f"cannot mount {source}", why=why)
    return BindMount(resolved, target, writable)


def parse_variables(texts: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Read NAME=VALUE, or NAME for the value of our own environment."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not name.isidentifier():
            hint = "Use NAME=VALUE, or NAME to pass your own value."
            raise UsageError(f"{name!r} is not a variable name", hint=hint)
        if not sign and name not in environ:
            why = "it is not set here"
            raise UsageError(f"cannot pass {name}", why=why, hint=f"Use {name}=VALUE.")
        found[name] = value if sign else environ[name]
    return found
