"""The static table of commands: enough for help and completion without importing one of them."""

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command lives (`module:attribute`), and its first line of help."""

    where: str
    says: str


ROOT: dict[str, Entry] = {
    "init": Entry("opsctl.cli.init:init", "Write what a project needs and never overwrite a file."),
    "doctor": Entry(
        "opsctl.cli.doctor:doctor", "Check everything opsctl stands on; exit 3 on trouble."
    ),
    "config": Entry("opsctl.cli.config:config", "Show and check the settings."),
    "disk": Entry(
        "opsctl.cli.disk:disk", "How full the disks are, where that leads, and which raw logs go."
    ),
    "notify": Entry(
        "opsctl.cli.notify:notify",
        "Where alerts go: try a channel, see what was told and what waits.",
    ),
    "migrate": Entry("opsctl.cli.migrate:migrate", "Apply migrations/*.sql, each file once."),
    "completion": Entry(
        "opsctl.cli.completion:completion", "Print the completion script of a shell."
    ),
}
