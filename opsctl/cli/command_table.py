"""The static table of commands: enough for help and completion without importing one of them."""

from opsctl.value import Value


class Entry(Value):
    """Where a command lives (`module:attribute`), and its first line of help."""

    where: str
    says: str


ROOT_COMMANDS: dict[str, Entry] = {
    "init": Entry(
        "opsctl.cli.commands.init:init", "Create the files of a new project; never overwrite one."
    ),
    "doctor": Entry(
        "opsctl.cli.commands.doctor:doctor",
        "Check that everything opsctl needs works; exit 3 if not.",
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
        "Check the health of the stack's systems.",
    ),
    "debug": Entry(
        "opsctl.cli.commands.debug.group:debug",
        "Inspect pub/sub traffic, subscribers, and slow commands.",
    ),
    "cache": Entry(
        "opsctl.cli.commands.cache:cache", "Inspect and clear the cache that all processes share."
    ),
    "limits": Entry(
        "opsctl.cli.commands.limits:limits",
        "Inspect and reset the rate limits that all processes share.",
    ),
    "disk": Entry(
        "opsctl.cli.commands.disk:disk",
        "How full the disks are, where that leads, and which raw logs go.",
    ),
    "notify": Entry(
        "opsctl.cli.commands.notify:notify",
        "Where alerts go: try a channel, see what was told and what waits.",
    ),
    "migrate": Entry(
        "opsctl.cli.commands.migrate.group:migrate", "Apply migrations/*.sql, each file once."
    ),
    "check": Entry(
        "opsctl.cli.commands.check:check",
        "Check the project against its rules; exit 3 on findings.",
    ),
    "completion": Entry(
        "opsctl.cli.commands.completion:completion", "Print the completion script of a shell."
    ),
}

DEBUG_COMMANDS: dict[str, Entry] = {
    "pubsub": Entry(
        "opsctl.cli.commands.debug.pubsub:pubsub",
        "Show who subscribes to which channel; exit 3 if one has no subscriber.",
    ),
    "redis": Entry(
        "opsctl.cli.commands.debug.redis:redis",
        "Show slow commands, big and hot keys, and clients of Redis.",
    ),
}
