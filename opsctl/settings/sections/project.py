"""Section `project`: what this stack is called."""

from opsctl.settings.section import Section, setting


class ProjectSettings(Section):
    """What this stack is called."""

    name: str = setting(
        "stack",
        "Name of the stack; containers, networks and volumes of an environment carry <name>-<env>.",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$",
    )
