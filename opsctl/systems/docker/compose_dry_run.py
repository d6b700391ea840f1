"""docker compose --dry-run: what it prints, line by line."""

import re

from opsctl.systems.engine.compose import DryRunEvent

# Compose 2 marks each line, Compose 5 does not; Compose 2 quotes the names of volumes.
EVENT = re.compile(
    r"(DRY-RUN MODE -)?\s*(?P<kind>Container|Network|Volume)"
    r'\s+"?(?P<name>[^\s"]+)"?\s+(?P<word>[A-Z]\w+)'
)
WAITING = "Waiting"
PROMPT = "(data will be lost)?"


def read_event(line: str) -> DryRunEvent | None:
    """Read one line; None for a warning, or for what says nothing about a resource."""
    # The question about a volume ends without a line break; without a terminal the answer is no.
    found = EVENT.match(line.rpartition(PROMPT)[2].strip())
    return DryRunEvent(found["kind"], found["name"], found["word"]) if found else None
