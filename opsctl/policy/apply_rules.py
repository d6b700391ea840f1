"""Applies the rules: what they find, what is suppressed, and which suppressions are stale."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from opsctl.findings import Finding, Level
from opsctl.policy.baseline import AcceptedFinding
from opsctl.policy.model import LEVELS, PolicyReport, Rule, Severity, Suppressed, Violation, rule
from opsctl.policy.suppressions import AllowComment, PolicyException

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Suppressions:
    """Everything that suppresses findings."""

    allowances: tuple[AllowComment, ...] = ()
    exemptions: tuple[PolicyException, ...] = ()
    baseline: tuple[AcceptedFinding, ...] = ()
    names: frozenset[str] = frozenset()
    """Rules that exist, asked or not."""
    asked: frozenset[str] = frozenset()
    is_whole: bool = True
    """Nothing was left out, so that what is not found is not there."""


@dataclass(slots=True)
class _SortedFindings:
    baseline: Mapping[str, AcceptedFinding]
    findings: list[Finding] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    used: set[tuple[str, int]] = field(default_factory=set)
    known: set[str] = field(default_factory=set)


def apply_rules(
    rules: Iterable[Rule[Subject]], subject: Subject, *, within: Callable[[str], bool]
) -> Iterator[Finding]:
    """Apply every rule; violations outside the chosen paths are left out."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in rules:
        for violation in one.find(subject):
            if within(violation.file):
                same = (one.id, violation.file, violation.what)
                counts[same] += 1
                yield _finding(one, violation, nth=counts[same])


def _finding(one: Rule[Subject], violation: Violation, *, nth: int) -> Finding:
    return Finding(
        check=one.id,
        level=violation.level or LEVELS[one.severity],
        what=violation.what,
        fix=violation.fix or one.fix,
        file=violation.file,
        line=violation.line,
        why=one.reason,
        key=finding_key(one.id, violation.file, violation.what, nth=nth),
    )


def finding_key(check: str, file: str, what: str, *, nth: int) -> str:
    """Name a finding by what it says, never by the text of a line: that may be a secret."""
    identity = "\0".join((check, file, what, str(nth)))
    return hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:16]


def build_report(found: Iterable[Finding], answers: Suppressions, *, files: int) -> PolicyReport:
    """Set aside what is suppressed, and report useless suppressions."""
    done = _SortedFindings({known.key: known for known in answers.baseline})
    for finding in found:
        _sort_finding(finding, answers, done)
    done.findings += _check_suppressions(answers, done)
    silent = answers.asked - {finding.check for finding in done.findings}
    fine = [Finding(name, Level.OK, "no violations") for name in sorted(silent)]
    places = sorted(done.findings, key=lambda f: (f.file, f.line or 0, f.check, f.what))
    findings = (*places, *fine)
    return PolicyReport(findings, tuple(done.suppressed), files=files, rules=len(answers.asked))


def _sort_finding(finding: Finding, answers: Suppressions, done: _SortedFindings) -> None:
    for allowance in answers.allowances:
        if allowance.covers(finding):
            done.used.add((allowance.file, allowance.line))
            by = f"{allowance.file}:{allowance.line}"
            done.suppressed.append(_suppressed(finding, by, allowance.reason))
            return
    for exemption in answers.exemptions:
        if exemption.covers(finding):
            done.suppressed.append(_suppressed(finding, exemption.place, exemption.reason))
            return
    known = done.baseline.get(finding.key)
    if known is not None:
        done.known.add(known.key)
        done.suppressed.append(_suppressed(finding, "baseline", known.reason))
        return
    done.findings.append(finding)


def _suppressed(finding: Finding, by: str, reason: str) -> Suppressed:
    place = (finding.check, finding.file, finding.line, finding.what)
    return Suppressed(*place, by=by, reason=reason)


def _check_suppressions(answers: Suppressions, done: _SortedFindings) -> Iterator[Finding]:
    for one in SUPPRESSION_RULES:
        if one.id in answers.asked:
            for violation in one.find((answers, done)):
                yield _finding(one, violation, nth=1)


_RuleInput = tuple[Suppressions, _SortedFindings]


@rule(
    "suppression-reason",
    Severity.ERROR,
    reason="Without a reason the next reader cannot decide whether the suppression still applies.",
    fix="opsctl-check: allow RULE: REASON",
)
def without_reason(given: _RuleInput) -> Iterator[Violation]:
    answers, _ = given
    for allowance in answers.allowances:
        if not allowance.reason:
            what = f"{', '.join(allowance.rules)} is allowed here without a reason"
            yield Violation(what, allowance.file, allowance.line)


@rule(
    "suppression-unknown",
    Severity.ERROR,
    reason="A misspelt rule suppresses nothing, and looks as if it did.",
    fix="docs/check.md lists the rules.",
)
def unknown(given: _RuleInput) -> Iterator[Violation]:
    answers, _ = given
    for allowance in answers.allowances:
        for name in allowance.rules:
            if name not in answers.names:
                yield Violation(f"there is no rule {name}", allowance.file, allowance.line)
    for exemption in answers.exemptions:
        for name in exemption.rules:
            if name not in answers.names:
                yield Violation(f"there is no rule {name}", exemption.place.partition(":")[0])


@rule(
    "suppression-unused",
    Severity.ADVICE,
    reason="What it allowed is gone; it would hide the next violation in this place.",
    fix="Remove the comment.",
)
def unused(given: _RuleInput) -> Iterator[Violation]:
    answers, done = given
    for allowance in answers.allowances:
        place = (allowance.file, allowance.line)
        asked = answers.asked.issuperset(allowance.rules)
        if allowance.reason and asked and place not in done.used:
            what = f"{', '.join(allowance.rules)} finds nothing here"
            yield Violation(what, allowance.file, allowance.line)


@rule(
    "baseline-stale",
    Severity.ADVICE,
    reason="A finding that was fixed must not stay accepted.",
    fix="opsctl check --write-baseline",
)
def stale(given: _RuleInput) -> Iterator[Violation]:
    answers, done = given
    for known in answers.baseline if answers.is_whole else ():
        if known.key not in done.known and known.check in answers.asked:
            yield Violation(f"the baseline accepts {known.check} here, and it is gone", known.file)


SUPPRESSION_RULES: tuple[Rule[_RuleInput], ...] = (without_reason, unknown, unused, stale)


def findings_to_accept(
    report: PolicyReport, baseline: Sequence[AcceptedFinding], asked: frozenset[str]
) -> tuple[Finding, ...]:
    """List what a new baseline holds: today's findings, and earlier ones not known to be gone."""
    standing = {(s.check, s.file, s.what): s for s in report.suppressed if s.by == "baseline"}
    kept = [
        Finding(known.check, Level.WARNING, known.what, file=known.file, key=known.key)
        for known in baseline
        if known.check not in asked or (known.check, known.file, known.what) in standing
    ]
    ours = {one.id for one in SUPPRESSION_RULES}
    new = [f for f in report.findings if f.is_problem and f.check not in ours]
    return (*kept, *new)


def without_accepted(report: PolicyReport, accepted: Iterable[Finding]) -> PolicyReport:
    """Return the report that the next run will give."""
    keys: Mapping[str, Finding] = {finding.key: finding for finding in accepted}
    left = tuple(f for f in report.findings if f.key not in keys or not f.is_problem)
    return replace(report, findings=left)
