"""The baseline: findings that were there before the rules came, each to be worked off."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsctl.errors import SettingsError
from opsctl.findings import Finding

SCHEMA = "opsctl.check-baseline/1"


@dataclass(frozen=True, slots=True)
class Known:
    """One finding that was accepted for now."""

    key: str
    check: str
    file: str
    what: str
    reason: str = ""


def read(text: str, source: str) -> tuple[Known, ...]:
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return tuple(Known(**entry) for entry in document["findings"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        hint = "Write it again: opsctl check --write-baseline"
        raise SettingsError(f"{source} is no baseline", why=str(error), hint=hint) from error


def write(findings: Iterable[Finding], before: Iterable[Known]) -> str:
    """Write findings down, reasons of earlier ones kept."""
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
