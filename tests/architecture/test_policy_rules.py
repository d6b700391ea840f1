"""The page of rules and the rules are one."""

import re
from pathlib import Path

from opsctl.policy.apply_rules import SUPPRESSION_RULES
from opsctl.policy.check_project import RULE_IDS
from opsctl.policy.model import Severity
from opsctl.policy.rules import RULES
from opsctl.policy.rules.running_host import LIVE_RULES

PAGE = (Path(__file__).parents[2] / "docs/check.md").read_text()
ROW = re.compile(
    r"^\| `(?P<id>[a-z-]+)` \| (?P<severity>\w+) \| (?P<why>.+) \| (?P<fix>.+) \|$", re.MULTILINE
)


def test_every_rule_stands_on_the_page_and_nothing_else() -> None:
    told = {row["id"]: row["severity"] for row in ROW.finditer(PAGE)}

    assert set(told) == RULE_IDS
    assert set(told.values()) == {severity.value for severity in Severity}


def test_a_rule_is_a_function_with_a_reason_and_a_fix() -> None:
    told = [(one.id, one.reason, one.fix, one.find) for one in RULES]
    told += [(one.id, one.reason, one.fix, one.find) for one in LIVE_RULES]  # type: ignore[misc]  # another world
    told += [(one.id, one.reason, one.fix, one.find) for one in SUPPRESSION_RULES]  # type: ignore[misc]  # same

    for name, reason, fix, look in told:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", name)
        assert reason.endswith((".", ".)"))
        assert fix
        assert callable(look)
