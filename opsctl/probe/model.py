"""The report of `opsctl health`."""

from dataclasses import dataclass

from opsctl.findings import Finding


@dataclass(frozen=True, slots=True)
class HealthReport:
    findings: tuple[Finding, ...]
