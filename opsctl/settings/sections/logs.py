"""Section `logs`: the log of opsctl."""

from typing import Literal

from opsctl.settings.section import Section, setting


class LogsSettings(Section):
    """The log of opsctl, on stderr as JSON lines; results are printed to stdout."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "warning", "Lowest severity that is logged; -v sets info, -vv sets debug."
    )
    file: str = setting("", "Also append errors to this file; empty means no file.")
