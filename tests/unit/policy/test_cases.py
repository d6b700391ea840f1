"""Each rule finds what it is for, and lets pass what only looks like it."""

import pytest

from opsctl.policy.rules import RULES
from tests.unit.policy.cases import CASES
from tests.unit.policy.projects import found


@pytest.mark.parametrize("rule", CASES)
def test_what_breaks_a_rule_is_found_with_its_reason_and_its_fix(rule: str) -> None:
    findings = found(rule, CASES[rule].bad, **CASES[rule].bad_facts)

    assert findings
    assert all(f.check == rule and f.what and f.why and f.fix for f in findings)


@pytest.mark.parametrize("rule", CASES)
def test_what_keeps_a_rule_is_not_found(rule: str) -> None:
    assert found(rule, CASES[rule].good, **CASES[rule].good_facts) == []


def test_rules_have_names_of_their_own() -> None:
    names = [rule.id for rule in RULES]

    assert len(names) == len(set(names))
