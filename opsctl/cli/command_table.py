"""The static table of commands: help and completion read it without importing a command."""

from opsctl.value import Value


class Entry(Value):
    """The location of a command (`module:attribute`) and the first line of its help."""

    location: str
    help: str


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
        "opsctl.cli.commands.up:up",
        "Deploy the checked-out code; restore the previous release on failure.",
    ),
    "down": Entry(
        "opsctl.cli.commands.down:down",
        "Stop an environment: remove its containers and networks, keep volumes.",
    ),
    "status": Entry(
        "opsctl.cli.commands.status:status",
        "Show running services, their health and drift; exit 3 on a problem.",
    ),
    "history": Entry(
        "opsctl.cli.commands.history:history",
        "List the releases of an environment, newest first.",
    ),
    "rollback": Entry(
        "opsctl.cli.commands.rollback:rollback",
        "Roll back to RELEASE, by default the previous one; works offline.",
    ),
    "restart": Entry(
        "opsctl.cli.commands.restart:restart",
        "Restart services, and wait until they are healthy.",
    ),
    "exec": Entry(
        "opsctl.cli.commands.exec:exec_in_service",
        "Run a command in a running service; exit with its code.",
    ),
    "lock": Entry(
        "opsctl.cli.commands.lock:lock", "Block the deploys of an environment, and say why."
    ),
    "unlock": Entry(
        "opsctl.cli.commands.unlock:unlock",
        "Allow the deploys of an environment again, whoever locked it.",
    ),
    "prune": Entry(
        "opsctl.cli.commands.prune:prune",
        "Remove unused containers, networks, images and build cache.",
    ),
    "logs": Entry(
        "opsctl.cli.commands.logs:logs",
        "Print the logs of services, with the project's secrets masked.",
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
        "Check disks, forecast when they fill up, delete old raw logs.",
    ),
    "notify": Entry(
        "opsctl.cli.commands.notify:notify",
        "Test notification channels and list queued and sent messages.",
    ),
    "migrate": Entry(
        "opsctl.cli.commands.migrate.group:migrate",
        "Apply pending SQL migrations, each in its own transaction.",
    ),
    "check": Entry(
        "opsctl.cli.commands.check:check",
        "Check the project against its rules; exit 3 on findings.",
    ),
    "completion": Entry(
        "opsctl.cli.commands.completion:completion", "Print the shell completion script."
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

# The headings of `opsctl --help`; every command of the root stands below exactly one of them.
ROOT_SECTIONS: dict[str, tuple[str, ...]] = {
    "Deploy": (
        *("up", "down", "restart", "exec", "rollback", "history"),
        *("lock", "unlock", "prune"),
    ),
    "Data": ("migrate", "cache", "limits"),
    "Observe": ("status", "logs", "health", "debug", "disk", "notify"),
    "Rules": ("check", "test"),
    "Project": ("init", "doctor", "config", "completion"),
}
