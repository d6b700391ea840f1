"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from opsctl import __version__
from opsctl.findings import Finding, Level

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Level.ADVICE: "note", Level.WARNING: "warning", Level.UNKNOWN: "warning"}
# The location of a finding without a file: hosts drop a result that has none.
_NO_FILE = "."


def sarif(command: str, findings: Sequence[Finding]) -> list[str]:
    """One run: each rule with its reason and fix, and a result per finding that is not ok."""
    rules = list(dict.fromkeys(finding.check for finding in findings))
    explained = {finding.check: finding for finding in findings if finding.why}
    problems = [finding for finding in findings if finding.level is not Level.OK]
    driver = {
        "name": f"opsctl {command}",
        "semanticVersion": __version__,
        "rules": [_rule(name, explained.get(name)) for name in rules],
    }
    results = [_result(finding, rules.index(finding.check)) for finding in problems]
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return [json.dumps(document, ensure_ascii=True)]


def _rule(name: str, finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": finding.why},
        "help": {"text": finding.fix or finding.why},
        "defaultConfiguration": {"level": _LEVELS.get(finding.level, "error")},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = f"{finding.what}\n{finding.fix}" if finding.fix else finding.what
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file or _NO_FILE)}}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    result = {
        "ruleId": finding.check,
        "ruleIndex": index,
        "level": _LEVELS.get(finding.level, "error"),
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }
    if finding.key:
        result["partialFingerprints"] = {"opsctl/1": finding.key}
    return result
