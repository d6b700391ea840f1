"""`opsctl check`: read the project, ask the rules, and weigh who answers for what."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.errors import UsageError
from opsctl.policy import baseline as baselines
from opsctl.policy.apply_rules import SUPPRESSION_RULES, Suppressions, apply_rules, build_report
from opsctl.policy.baseline import AcceptedFinding
from opsctl.policy.context import LivePolicyContext
from opsctl.policy.model import PolicyReport
from opsctl.policy.project import CheckedProject
from opsctl.policy.project_rules import ProjectRules, read_project_rules
from opsctl.policy.read_project import ProjectReader, path_filter
from opsctl.policy.rules import RULES
from opsctl.policy.rules.running_host import LIVE_RULES
from opsctl.policy.running_host import HostInspector
from opsctl.policy.suppressions import find_allow_comments

if TYPE_CHECKING:
    from opsctl.findings import Finding

RULE_IDS = frozenset(
    [
        *(one.id for one in RULES),
        *(one.id for one in LIVE_RULES),
        *(one.id for one in SUPPRESSION_RULES),
    ]
)


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What was asked for; no path means all of the project, no rule all of them."""

    paths: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    live: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    report: PolicyReport
    baseline: tuple[AcceptedFinding, ...]
    baseline_file: Path
    asked: frozenset[str]


def check_project(site: LivePolicyContext, wish: CheckOptions) -> CheckResult:
    within = path_filter(wish.paths, here=site.directory, root=site.project_dir)
    project = ProjectReader(site, within).project()
    own = _read_project_rules(site, project)
    names = RULE_IDS | {one.id for one in own.rules}
    asked = _selected_rules(site, wish, names)
    rules = [one for one in (*RULES, *own.rules) if one.id in asked]
    found: list[Finding] = [*apply_rules(rules, project, within=within)]
    if wish.live:
        live = [one for one in LIVE_RULES if one.id in asked]
        found += apply_rules(live, HostInspector(site).look(), within=lambda _: True)
    else:
        asked -= {one.id for one in LIVE_RULES}
    known = _read_baseline(site)
    answers = Suppressions(
        tuple(find_allow_comments(project.sources)),
        own.exemptions,
        known,
        names=names,
        asked=asked,
        is_whole=not wish.paths,
    )
    report = build_report(found, answers, files=len(project.sources))
    return CheckResult(report, known, site.project_dir / site.settings.policy.baseline, asked)


def _selected_rules(
    site: LivePolicyContext, wish: CheckOptions, names: frozenset[str]
) -> frozenset[str]:
    for name in (*wish.only, *site.settings.policy.off):
        if name not in names:
            raise UsageError(f"there is no rule {name}", hint="docs/check.md lists the rules.")
    return (frozenset(wish.only) or names) - set(site.settings.policy.off)


def _read_project_rules(site: LivePolicyContext, project: CheckedProject) -> ProjectRules:
    """Read the project's own rules, whichever paths were asked for."""
    folder = site.settings.policy.rules_dir
    names = site.tree.walk(site.project_dir / folder, skips=lambda _: True)
    wanted = [f"{folder}/{name}" for name in names if name.endswith((".yaml", ".yml"))]
    limit = project.policy.file_limit_kb * 1024
    read = site.tree.read(site.project_dir, wanted, limit_bytes=limit)
    files = [(one.name, one.data.decode("utf-8", "replace")) for one in read if one.data]
    return read_project_rules(files, RULE_IDS)


def _read_baseline(site: LivePolicyContext) -> tuple[AcceptedFinding, ...]:
    policy = site.settings.policy
    limit = policy.file_limit_kb * 1024
    for one in site.tree.read(site.project_dir, (policy.baseline,), limit_bytes=limit):
        if one.data is not None:
            return baselines.read_baseline(one.data.decode("utf-8", "replace"), policy.baseline)
    return ()
