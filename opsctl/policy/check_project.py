"""`opsctl check`: read the project, ask the rules, and weigh who answers for what."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.errors import UsageError
from opsctl.policy import baseline as baselines
from opsctl.policy.baseline import Known
from opsctl.policy.context import LiveSite
from opsctl.policy.read_project import Gatherer, chosen
from opsctl.policy.apply_rules import ANSWER_RULES, Answers, ask, judge
from opsctl.policy.running_host import Looker
from opsctl.policy.model import Report
from opsctl.policy.project import Project
from opsctl.policy.project_rules import Own, read_own
from opsctl.policy.rules import RULES
from opsctl.policy.rules.running_host import LIVE_RULES
from opsctl.policy.suppressions import allowances

if TYPE_CHECKING:
    from opsctl.findings import Finding

NAMES = frozenset(
    [
        *(one.id for one in RULES),
        *(one.id for one in LIVE_RULES),
        *(one.id for one in ANSWER_RULES),
    ]
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; no path means all of the project, no rule all of them."""

    paths: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    live: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    report: Report
    baseline: tuple[Known, ...]
    baseline_file: Path
    asked: frozenset[str]


def check(site: LiveSite, wish: Wish) -> Checked:
    within = chosen(wish.paths, here=site.directory, root=site.project_dir)
    project = Gatherer(site, within).project()
    own = _own(site, project)
    names = NAMES | {one.id for one in own.rules}
    asked = _asked(site, wish, names)
    rules = [one for one in (*RULES, *own.rules) if one.id in asked]
    found: list[Finding] = [*ask(rules, project, within=within)]
    if wish.live:
        live = [one for one in LIVE_RULES if one.id in asked]
        found += ask(live, Looker(site).look(), within=lambda _: True)
    else:
        asked -= {one.id for one in LIVE_RULES}
    known = _baseline(site)
    answers = Answers(
        tuple(allowances(project.sources)),
        own.exemptions,
        known,
        names=names,
        asked=asked,
        is_whole=not wish.paths,
    )
    report = judge(found, answers, files=len(project.sources))
    return Checked(report, known, site.project_dir / site.settings.policy.baseline, asked)


def _asked(site: LiveSite, wish: Wish, names: frozenset[str]) -> frozenset[str]:
    for name in (*wish.only, *site.settings.policy.off):
        if name not in names:
            raise UsageError(f"there is no rule {name}", hint="docs/check.md lists the rules.")
    return (frozenset(wish.only) or names) - set(site.settings.policy.off)


def _own(site: LiveSite, project: Project) -> Own:
    """Read the project's own rules, whichever paths were asked for."""
    folder = site.settings.policy.rules_dir
    names = site.tree.walk(site.project_dir / folder, skips=lambda _: True)
    wanted = [f"{folder}/{name}" for name in names if name.endswith((".yaml", ".yml"))]
    limit = project.policy.file_limit_kb * 1024
    read = site.tree.read(site.project_dir, wanted, limit_bytes=limit)
    files = [(one.name, one.data.decode("utf-8", "replace")) for one in read if one.data]
    return read_own(files, NAMES)


def _baseline(site: LiveSite) -> tuple[Known, ...]:
    policy = site.settings.policy
    limit = policy.file_limit_kb * 1024
    for one in site.tree.read(site.project_dir, (policy.baseline,), limit_bytes=limit):
        if one.data is not None:
            return baselines.read(one.data.decode("utf-8", "replace"), policy.baseline)
    return ()
