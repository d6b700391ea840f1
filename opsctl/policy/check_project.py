"""`opsctl check`: read the project, apply the rules, and set aside what is suppressed."""

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
    """What to check; no path means the whole project, no rule all of them."""

    paths: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    live: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    report: PolicyReport
    baseline: tuple[AcceptedFinding, ...]
    baseline_file: Path
    asked: frozenset[str]


def check_project(context: LivePolicyContext, options: CheckOptions) -> CheckResult:
    within = path_filter(options.paths, here=context.directory, root=context.project_dir)
    project = ProjectReader(context, within).project()
    own = _read_project_rules(context, project)
    names = RULE_IDS | {one.id for one in own.rules}
    asked = _selected_rules(context, options, names)
    rules = [one for one in (*RULES, *own.rules) if one.id in asked]
    found: list[Finding] = [*apply_rules(rules, project, within=within)]
    if options.live:
        live = [one for one in LIVE_RULES if one.id in asked]
        found += apply_rules(live, HostInspector(context).look(), within=lambda _: True)
    else:
        asked -= {one.id for one in LIVE_RULES}
    known = _read_baseline(context)
    answers = Suppressions(
        tuple(find_allow_comments(project.sources)),
        own.exemptions,
        known,
        names=names,
        asked=asked,
        is_whole=not options.paths,
    )
    report = build_report(found, answers, files=len(project.sources))
    return CheckResult(report, known, context.project_dir / context.settings.policy.baseline, asked)


def _selected_rules(
    context: LivePolicyContext, options: CheckOptions, names: frozenset[str]
) -> frozenset[str]:
    for name in (*options.only, *context.settings.policy.disabled_rules):
        if name not in names:
            raise UsageError(f"there is no rule {name}", hint="docs/check.md lists the rules.")
    return (frozenset(options.only) or names) - set(context.settings.policy.disabled_rules)


def _read_project_rules(context: LivePolicyContext, project: CheckedProject) -> ProjectRules:
    """Read the project's own rules, whichever paths were asked for."""
    folder = context.settings.policy.rules_dir
    names = context.tree.walk(context.project_dir / folder, skips=lambda _: True)
    wanted = [f"{folder}/{name}" for name in names if name.endswith((".yaml", ".yml"))]
    limit = project.policy.file_limit_kb * 1024
    read = context.tree.read(context.project_dir, wanted, limit_bytes=limit)
    files = [(one.name, one.data.decode("utf-8", "replace")) for one in read if one.data]
    return read_project_rules(files, RULE_IDS)


def _read_baseline(context: LivePolicyContext) -> tuple[AcceptedFinding, ...]:
    policy = context.settings.policy
    limit = policy.file_limit_kb * 1024
    for one in context.tree.read(context.project_dir, (policy.baseline,), limit_bytes=limit):
        if one.data is not None:
            return baselines.read_baseline(one.data.decode("utf-8", "replace"), policy.baseline)
    return ()
