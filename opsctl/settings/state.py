"""Section `state`: where opsctl keeps what must survive a restart."""

from opsctl.settings.section import Section, setting


class State(Section):
    """Where opsctl keeps what must survive a restart."""

    dir: str = setting(
        "",
        "Directory of releases, audit, samples and locks; empty means"
        " $XDG_STATE_HOME/opsctl/<project> (~/.local/state when unset).",
    )
