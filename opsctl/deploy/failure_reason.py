"""Finds in the output of a failed program the lines that say why it failed."""

import re
from collections.abc import Sequence

SHOWN_LINES = 3
REASON = re.compile(
    r"no space left|error|fail|denied|cannot|could not|unable|not found|no such|invalid|refused"
    r"|timeout|timed out|unauthorized|killed|out of memory",
    re.IGNORECASE,
)
# BuildKit's frame: dashes, and the excerpt of the Dockerfile with its line numbers.
FRAME = re.compile(r"[-\s>]*|\s*\d+ \|.*|>>>.*")


def find_reason(lines: Sequence[str]) -> str:
    """Join the last lines that name a cause; without one, the last lines."""
    said = [line.strip() for line in lines if not FRAME.fullmatch(line)]
    causes = list(dict.fromkeys(line for line in said if REASON.search(line)))
    return " | ".join((causes or said)[-SHOWN_LINES:])
