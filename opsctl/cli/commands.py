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
    "health": Entry(
        "opsctl.cli.health:health",
        "Ask whether the stack's systems are well; exit 3 if one is not.",
    ),
    "debug": Entry("opsctl.cli.debug:debug", "See what flows, who listens and what is slow."),
    "cache": Entry("opsctl.cli.cache:cache", "See and clear the cache that all processes share."),
    "limits": Entry("opsctl.cli.limits:limits", "See and reset the rate limits of all processes."),
    "disk": Entry(
        "opsctl.cli.disk:disk", "How full the disks are, where that leads, which raw logs go."
    ),
    "notify": Entry("opsctl.cli.notify:notify", "Where alerts go: try, and see what waits."),
    "migrate": Entry("opsctl.cli.migrate:migrate", "Apply migrations/*.sql, each file once."),
    "completion": Entry(
        "opsctl.cli.completion:completion", "Print the completion script of a shell."
    ),
}

DEBUG: dict[str, Entry] = {
    "pubsub": Entry(
        "opsctl.cli.debug_pubsub:pubsub", "Say who hears which channel; exit 3 if one is not heard."
    ),
    "redis": Entry("opsctl.cli.debug_redis:redis", "Show what is slow, big, hot, and the clients."),
}
