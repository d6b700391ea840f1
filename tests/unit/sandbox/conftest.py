"""A plan's ingredients, each as small as it can be."""

from pathlib import Path

import pytest

from opsctl.sandbox.model import ImageFacts, PlanInputs, RunSecrets
from opsctl.settings.sections.sandbox import Sandbox

CGROUPS = Path(__file__).parent / "cgroups"
MARKS = RunSecrets("opsctl-test-0a1b", "5ecre7", "pa55")


@pytest.fixture
def rules() -> Sandbox:
    return Sandbox(image="app:1", postgres_image="pg:1", timescale_image="ts:1", redis_image="rd:1")


@pytest.fixture
def stage() -> PlanInputs:
    images = {
        "app:1": ImageFacts("sha256:a", ("run",), ("default",), {}, "/app", ("/data",)),
        "app:2": ImageFacts("sha256:b", (), ("other",)),
        "bare:1": ImageFacts("sha256:c"),
        "pg:1": ImageFacts("sha256:d", ("pg-entry",), ("postgres",), volumes=("/pgdata",)),
        "ts:1": ImageFacts("sha256:e", ("ts-entry",)),
        "rd:1": ImageFacts("sha256:f", ("rd-entry",)),
    }
    return PlanInputs(images, "/run/docker.sock", {"opsctl.sandbox": "1"})
