from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from opsctl.doctor.judge import (
    judge_checkout,
    judge_dotenv,
    judge_http_status,
    judge_settings,
    judge_skew,
)
from opsctl.findings import Level, worst_level
from tests.unit.settings.conftest import Load, load_from

if TYPE_CHECKING:
    from opsctl.settings import LoadedSettings

__all__ = ["load_from"]
NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead_s", "level", "said"),
    [
        (0.5, Level.OK, "agrees"),
        (3.0, Level.WARNING, "2.0 s ahead of"),
        (-3.0, Level.WARNING, "3.0 s behind"),
        (2.5, Level.OK, "1.5 s ahead of"),
    ],
)
def test_the_trip_itself_is_no_skew(ahead_s: float, level: Level, said: str) -> None:
    before, after = NOON, NOON + timedelta(seconds=1)

    found = judge_skew(
        "redis", NOON + timedelta(seconds=ahead_s), before=before, after=after, limit_s=1.6
    )

    assert found.level is level
    assert said in found.what


@pytest.mark.parametrize(
    ("tracked", "ignored", "level"),
    [(True, True, Level.CRITICAL), (False, False, Level.WARNING), (False, True, Level.OK)],
)
def test_git_must_not_know_the_passwords(tracked: bool, ignored: bool, level: Level) -> None:  # noqa: FBT001 - pytest's
    assert judge_dotenv(tracked=tracked, ignored=ignored).level is level


@pytest.mark.parametrize(("status", "level"), [(200, Level.OK), (302, Level.OK), (503, "critical")])
def test_an_answer_below_400_is_healthy(status: int, level: Level) -> None:
    assert judge_http_status("url 1", status).level == level


def test_a_folder_without_commits_learns_how_to_get_one() -> None:
    (found,) = judge_checkout(commit=None, dirty=0, experiment=None)

    assert found.level is Level.WARNING
    assert "git init" in found.fix


def test_an_experiment_is_said_to_be_one() -> None:
    _, experiment = judge_checkout(commit="abc", dirty=2, experiment="the branch exp/a")

    assert "production is read-only" in experiment.what


def test_a_secret_in_a_file_that_git_tracks_is_pointed_at(load_from: Load) -> None:
    loaded: LoadedSettings = load_from({"configs/opsctl.yaml": "redis:\n  password: hush\n"})

    _, found = judge_settings(loaded)

    assert (found.level, found.file, found.line) == (Level.WARNING, "configs/opsctl.yaml", 2)
    assert "hush" not in str(found)


def test_a_secret_in_dotenv_is_where_it_belongs(load_from: Load) -> None:
    loaded: LoadedSettings = load_from({"configs/opsctl.yaml": "", ".env": "REDIS_PASSWORD=hush\n"})

    assert worst_level(judge_settings(loaded)) is Level.OK


def test_a_misspelt_variable_is_a_warning(load_from: Load) -> None:
    loaded: LoadedSettings = load_from(environ={"OPSCTL_REDIS_PROT": "1"})

    _, found = judge_settings(loaded)

    assert "OPSCTL_REDIS_PROT" in found.what
