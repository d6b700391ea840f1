"""Writes the lines that install opsctl, quoted for YAML, the shell and Docker."""

import json
import shlex
from pathlib import PurePosixPath

from opsctl.init.model import InstallSource, SourceKind

WORKFLOW = ".github/workflows/opsctl.yml"
_PIP = "/opt/opsctl/bin/pip install --no-cache-dir"
_SOURCES = "a checkout in this repository, a wheel or an address with a commit"


def install_command(source: InstallSource) -> str:
    """Install the command by itself, so that no other package of the machine matters."""
    return f"pipx install {shlex.quote(source.location)}"


def workflow_step(source: InstallSource | None) -> str:
    """Render the value of `run:` in the workflow; without a source it fails and says what to do."""
    if source is not None:
        return _yaml_quoted(install_command(source))
    message = (
        f"::error::cannot install opsctl: {WORKFLOW} does not say from where. Replace this step by"
        f" `run: pipx install SOURCE`, with {_SOURCES} as SOURCE."
    )
    return _yaml_quoted(f"{_failure(message)}; exit 1")


def image_lines(source: InstallSource | None) -> str:
    """Render the Dockerfile's instructions that install opsctl, or that fail and say why."""
    if source is None or source.image_obstacle:
        why = source.image_obstacle if source else "the Dockerfile names no source"
        message = (
            f"cannot install opsctl: {_printable(why)}. Replace this line: COPY a checkout or a"
            " wheel and RUN pip install on it, or on an address with a commit."
        )
        return f"RUN {_failure(message)}; exit 1"
    if source.kind is SourceKind.CHECKOUT:
        return f"{_copy(source.location, '/src/opsctl/')}\nRUN {_PIP} /src/opsctl"
    if source.kind is SourceKind.WHEEL:
        wheel = f"/src/{PurePosixPath(source.location).name}"
        return f"{_copy(source.location, '/src/')}\nRUN {_PIP} {shlex.quote(wheel)}"
    return f"RUN {_PIP} {shlex.quote(source.location)}"


def _copy(path: str, target: str) -> str:
    return f"COPY {json.dumps([str(PurePosixPath(path)), target], ensure_ascii=False)}"


def _failure(message: str) -> str:
    return f"echo {shlex.quote(message)} >&2"


def _printable(text: str) -> str:
    """Keep a message on one line of a Dockerfile, where a backslash would be an escape."""
    return "".join(c if c.isprintable() and c not in "\\<" else "?" for c in text)


def _yaml_quoted(text: str) -> str:
    return f'"{"".join(_yaml_escaped(character) for character in text)}"'


def _yaml_escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
