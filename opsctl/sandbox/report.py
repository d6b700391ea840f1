"""What came of all runs, for people and programs."""

from opsctl.sandbox.model import SandboxReport, SandboxRun
from opsctl.sandbox.outcome import describe_use, run_finding, worst_code


def report(runs: tuple[SandboxRun, ...], swept: tuple[str, ...]) -> SandboxReport:
    return SandboxReport(runs, swept, tuple(run_finding(run) for run in runs), worst_code(runs))


def lines(told: SandboxReport) -> tuple[str, ...]:
    """Say it for people, two lines a run."""
    said = [f"removed {name}, which a killed run had left" for name in told.swept]
    for run, found in zip(told.runs, told.findings, strict=True):
        said += [f"{run.image}: {found.what}", f"  {describe_use(run)}"]
        said += [f"  try: {found.fix}"] if found.fix else []
        said += [f"  kept: docker logs {run.kept}; docker rm {run.kept}"] if run.kept else []
    return tuple(said)
