"""The report of all runs, for people and programs."""

from opsctl.sandbox.model import SandboxReport, SandboxRun
from opsctl.sandbox.outcome import describe_use, run_finding, worst_code


def report(runs: tuple[SandboxRun, ...], leftovers: tuple[str, ...]) -> SandboxReport:
    return SandboxReport(runs, leftovers, tuple(run_finding(run) for run in runs), worst_code(runs))


def lines(result: SandboxReport) -> tuple[str, ...]:
    """Format the report for people, two lines per run."""
    text = [f"removed {name}, left behind by a killed run" for name in result.leftovers]
    for run, found in zip(result.runs, result.findings, strict=True):
        text += [f"{run.image}: {found.what}", f"  {describe_use(run)}"]
        text += [f"  try: {found.fix}"] if found.fix else []
        if kept := run.kept_container:
            text += [f"  kept: docker logs {kept}; docker rm {kept}"]
    return tuple(text)
