"""What came of all runs, for people and programs."""

from opsctl.sandbox.model import Report, Run
from opsctl.sandbox.outcome import finding, spoken, worst_code


def report(runs: tuple[Run, ...], swept: tuple[str, ...]) -> Report:
    return Report(runs, swept, tuple(finding(run) for run in runs), worst_code(runs))


def lines(told: Report) -> tuple[str, ...]:
    """Say it for people, two lines a run."""
    said = [f"removed {name}, which a killed run had left" for name in told.swept]
    for run, found in zip(told.runs, told.findings, strict=True):
        said += [f"{run.image}: {found.what}", f"  {spoken(run)}"]
        said += [f"  try: {found.fix}"] if found.fix else []
        said += [f"  kept: docker logs {run.kept}; docker rm {run.kept}"] if run.kept else []
    return tuple(said)
