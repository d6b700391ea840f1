"""The static table of commands: enough for help and completion without importing one of them."""

from opsctl.value import Value


class Entry(Value):
    """Where a command lives (`module:attribute`), and its first line of help."""

    where: str
    says: str


ROOT_COMMANDS: dict[str, Entry] = {
    "init": Entry(
        "opsctl.cli.commands.init:init", "Write what a project needs and never overwrite a file."
    ),
    "doctor": Entry(
        "opsctl.cli.commands.doctor:doctor", "Check everything opsctl stands on; exit 3 on trouble."
    ),
    "test": Entry(
        "opsctl.cli.commands.test:test",
        "Run a test in a container that cannot exceed 0.5 CPU and 512 MiB.",
    ),
    "config": Entry("opsctl.cli.commands.config:config", "Show and check the settings."),
    "up": Entry(
        "opsctl.cli.deploying.run:up",
        "Deploy the checkout: plan, build or pull, start, verify, record.",
    ),
    "down": Entry(
        "opsctl.cli.deploying.run:down",
        "Stop an environment: containers and networks go, volumes stay.",
    ),
    "status": Entry(
        "opsctl.cli.commands.status:status",
        "Show what runs, how it is and how it differs; exit 3 on trouble.",
    ),
    "history": Entry(
        "opsctl.cli.commands.status:history", "List the releases of an environment, newest first."
    ),
    "rollback": Entry(
        "opsctl.cli.commands.status:rollback",
        "Go back to RELEASE, by default to the one before; needs no network.",
    ),
    "prune": Entry(
        "opsctl.cli.commands.status:prune",
        "Remove what nothing uses; the release before stays restorable, and every volume stays.",
    ),
    "logs": Entry(
        "opsctl.cli.deploying.run:logs",
        "Show what the services said; secrets of the project are masked.",
    ),
    "health": Entry(
        "opsctl.cli.commands.health:health",
        "Ask whether the stack's systems are well; exit 3 if one is not.",
    ),
    "debug": Entry(
        "opsctl.cli.commands.debug.group:debug", "See what flows, who listens and what is slow."
    ),
    "cache": Entry(
        "opsctl.cli.commands.cache:cache", "See and clear the cache that all processes share."
    ),
    "limits": Entry(
        "opsctl.cli.commands.limits:limits", "See and reset the rate limits of all processes."
    ),
    "disk": Entry(
        "opsctl.cli.commands.disk:disk",
        "Check disks, forecast when they fill up, delete old raw logs.",
    ),
    "notify": Entry(
        "opsctl.cli.commands.notify:notify",
        "Test notification channels and list queued and sent messages.",
    ),
    "migrate": Entry(
        "opsctl.cli.commands.migrate.apply:migrate", "Apply migrations/*.sql, each file once."
    ),
    "check": Entry(
        "opsctl.cli.commands.check:check",
        "Hold the project to the rules of the house; exit 3 on findings.",
    ),
    "completion": Entry(
        "opsctl.cli.commands.completion:completion", "Print the completion script of a shell."
    ),
}

DEBUG_COMMANDS: dict[str, Entry] = {
    "pubsub": Entry(
        "opsctl.cli.commands.debug.pubsub:pubsub",
        "Say who hears which channel; exit 3 if one is not heard.",
    ),
    "redis": Entry(
        "opsctl.cli.commands.debug.redis:redis", "Show what is slow, big, hot, and the clients."
    ),
}
