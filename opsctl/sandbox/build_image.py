"""Builds the image of a test, under the same caps."""

from pathlib import Path

from opsctl.errors import OpsctlError
from opsctl.systems.process.run import Command

BUILD_S = 3600.0
PERIOD_US = 100_000


def build_command(image: str, directory: Path, engine: str) -> Command:
    """Say how the Dockerfile of a folder is built; only the classic builder knows caps."""
    caps = ("--memory", "512m", "--memory-swap", "512m")
    quota = ("--cpu-period", str(PERIOD_US), "--cpu-quota", str(PERIOD_US // 2))
    argv = ("docker", "-H", engine, "build", "--force-rm", *caps, *quota, "-t", image, "--", ".")
    return Command(
        argv, cwd=directory, env={"DOCKER_BUILDKIT": "0"}, timeout_s=BUILD_S, late=OpsctlError
    )
