"""Rules: settings of every environment can be read, and so can every file."""

from collections.abc import Iterator

from opsctl.findings import Level
from opsctl.policy.model import Hit, Rule, Severity, rule
from opsctl.policy.project import Project


@rule(
    "settings-invalid",
    Severity.ERROR,
    reason="An environment whose settings cannot be read is found out on the day of its deploy.",
    fix="opsctl config check -e ENV says more.",
)
def invalid(project: Project) -> Iterator[Hit]:
    for what in dict.fromkeys(project.environments.troubles.values()):
        file, _, rest = what.partition(":")
        number, _, said = rest.partition(":")
        if file in project.by_path and number.isdigit():
            yield Hit(said.strip(), file, int(number))
        else:
            yield Hit(what, project.policy.parameter_dir)


@rule(
    "file-unread",
    Severity.WARNING,
    reason="What was not read was not checked.",
    fix="Make it readable; or raise policy.file_limit_kb, or except it with a reason.",
)
def unread(project: Project) -> Iterator[Hit]:
    for name, why in project.unread:
        yield Hit(f"it was not read: {why}", name, level=Level.UNKNOWN)


RULES: tuple[Rule[Project], ...] = (invalid, unread)
