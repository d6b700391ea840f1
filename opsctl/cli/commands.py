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
    "up": Entry(
        "opsctl.cli.deploy:up", "Deploy the checkout: plan, build or pull, start, verify, record."
    ),
    "down": Entry(
        "opsctl.cli.deploy:down", "Stop an environment: containers and networks go, volumes stay."
    ),
    "status": Entry(
        "opsctl.cli.releases:status",
        "Show what runs, how it is and how it differs; exit 3 on trouble.",
    ),
    "history": Entry(
        "opsctl.cli.releases:history", "List the releases of an environment, newest first."
    ),
    "rollback": Entry(
        "opsctl.cli.releases:rollback",
        "Go back to RELEASE, by default to the one before; needs no network.",
    ),
    "prune": Entry(
        "opsctl.cli.releases:prune",
        "Remove what nothing uses; the release before stays restorable, and every volume stays.",
    ),
    "logs": Entry(
        "opsctl.cli.deploy:logs",
        "Show what the services said; secrets of the project are masked.",
    ),
    "completion": Entry(
        "opsctl.cli.completion:completion", "Print the completion script of a shell."
    ),
}
