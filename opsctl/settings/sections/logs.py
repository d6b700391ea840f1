"""Section `logs`: what opsctl says for later."""

from typing import Literal

from opsctl.settings.section import Section, setting


class LogsSettings(Section):
    """What opsctl says for later; what it says for now is the output."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "warning", "Least severity that is logged; -v lowers it to info, -vv to debug."
    )
    file: str = setting(
        "", "Also append errors to this file; empty means none: the journal keeps them."
    )
