"""Section `project`: the name of the stack."""

from opsctl.settings.section import Section, setting


class ProjectSettings(Section):
    """The name of the stack."""

    name: str = setting(
        "stack",
        "Name of the stack; containers, networks and volumes are named <name>-<env>.",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$",
    )
