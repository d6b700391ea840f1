"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from opsctl import __version__
from opsctl.findings import Finding, Level

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Level.ADVICE: "note", Level.WARNING: "warning", Level.UNKNOWN: "warning"}
# What a finding without a file is shown at: hosts drop a result that has no place.
_NOWHERE = "."


def sarif(command: str, findings: Sequence[Finding]) -> list[str]:
    """One run: each rule with its reason and its fix, and a result for whatever is not fine."""
    rules = list(dict.fromkeys(finding.check for finding in findings))
    told = {finding.check: finding for finding in findings if finding.why}
    troubles = [finding for finding in findings if finding.level is not Level.OK]
    driver = {
        "name": f"opsctl {command}",
        "semanticVersion": __version__,
        "rules": [_rule(name, told.get(name)) for name in rules],
    }
    results = [_result(finding, rules.index(finding.check)) for finding in troubles]
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return [json.dumps(document, ensure_ascii=True)]


def _rule(name: str, told: Finding | None) -> dict[str, Any]:
    if told is None:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": told.why},
        "help": {"text": told.fix or told.why},
        "defaultConfiguration": {"level": _LEVELS.get(told.level, "error")},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    said = f"{finding.what}\n{finding.fix}" if finding.fix else finding.what
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file or _NOWHERE)}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    result = {
        "ruleId": finding.check,
        "ruleIndex": index,
        "level": _LEVELS.get(finding.level, "error"),
        "message": {"text": said},
        "locations": [{"physicalLocation": place}],
    }
    if finding.key:
        result["partialFingerprints"] = {"opsctl/1": finding.key}
    return result
