"""The baseline: findings that are accepted for now."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsctl.errors import SettingsError
from opsctl.findings import Finding

SCHEMA = "opsctl.check-baseline/1"
_HINT = "To rewrite it: opsctl check --write-baseline"


@dataclass(frozen=True, slots=True)
class AcceptedFinding:
    """One finding that was accepted for now."""

    key: str
    check: str
    file: str
    what: str
    reason: str = ""


def read_baseline(text: str, source: str) -> tuple[AcceptedFinding, ...]:
    try:
        document = json.loads(text)
        schema = document["schema"]
        known = tuple(AcceptedFinding(**entry) for entry in document["findings"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SettingsError(
            f"cannot read the baseline {source}", why=str(error), hint=_HINT
        ) from error
    if schema != SCHEMA:
        raise SettingsError(
            f"cannot read the baseline {source}", why=f"its schema is not {SCHEMA}", hint=_HINT
        )
    return known


def format_baseline(findings: Iterable[Finding], before: Iterable[AcceptedFinding]) -> str:
    """Format findings as a baseline; reasons of earlier ones are kept."""
    reasons: Mapping[str, str] = {known.key: known.reason for known in before}
    entries = [
        {
            "key": finding.key,
            "check": finding.check,
            "file": finding.file,
            "what": finding.what,
            "reason": reasons.get(finding.key, ""),
        }
        for finding in sorted(findings, key=lambda f: (f.file, f.check, f.what, f.key))
    ]
    return json.dumps({"schema": SCHEMA, "findings": entries}, indent=2, ensure_ascii=False) + "\n"
