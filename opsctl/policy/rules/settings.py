"""Rules: settings of every environment can be read, and so can every file."""

from collections.abc import Iterator

from opsctl.findings import Level
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedProject


@rule(
    "settings-invalid",
    Severity.ERROR,
    reason="Settings that cannot be read otherwise fail on the day of the deploy.",
    fix="`opsctl config check -e ENV` shows more.",
)
def invalid(project: CheckedProject) -> Iterator[Violation]:
    for what in dict.fromkeys(project.environments.errors.values()):
        file, _, rest = what.partition(":")
        number, _, message = rest.partition(":")
        if file in project.by_path and number.isdigit():
            yield Violation(message.strip(), file, int(number))
        else:
            yield Violation(what, project.policy.parameter_dir)


@rule(
    "file-unread",
    Severity.WARNING,
    reason="What was not read was not checked.",
    fix="Make it readable; or raise policy.file_limit_kb, or except it with a reason.",
)
def unread(project: CheckedProject) -> Iterator[Violation]:
    for name, why in project.unread:
        yield Violation(f"it was not read: {why}", name, level=Level.UNKNOWN)


RULES: tuple[Rule[CheckedProject], ...] = (invalid, unread)
