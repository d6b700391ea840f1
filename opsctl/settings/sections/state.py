"""Section `state`: where opsctl keeps what must survive a restart."""

from collections.abc import Mapping
from pathlib import Path

from opsctl.settings.section import Section, setting


class StateSettings(Section):
    """Where opsctl keeps what must survive a restart."""

    dir: str = setting(
        "",
        "Directory of releases, audit, samples and locks; empty means"
        " $XDG_STATE_HOME/opsctl/<project> (~/.local/state when unset).",
    )


def state_directory(state: StateSettings, *, project: str, environ: Mapping[str, str]) -> Path:
    """Say where the state of this project is kept."""
    if state.dir:
        return Path(state.dir).expanduser()
    home = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME', '')}/.local/state"
    return Path(home) / "opsctl" / project
