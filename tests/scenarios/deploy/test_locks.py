import re

import pytest

from tests.scenarios.deploy.stage import STORE, WEB, Done, Stage
from tests.waiting import wait_for

SLOW = {**WEB, "healthcheck": {"test": ["CMD", "false"], "interval": "1s", "start_period": "600s"}}


@pytest.fixture
def busy(stage: Stage) -> Stage:
    """A project whose deploys take until they are interrupted."""
    stage.write({"web": SLOW, "store": STORE})
    stage.version("1")
    return stage


def test_the_second_deploy_is_told_who_is_at_work_since_when(busy: Stage) -> None:
    with busy.start("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "verify:" in said.readline(), 80, "the first to verify")
        second = busy.opsctl("up")
        status = busy.opsctl("status", "--no-stats", "--json").json
        other = _as_another_user(busy)
        first.terminate()
        said.read()

    for refused in (second, other):
        assert refused.exit_code == 75, refused.err
        assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", refused.err)
        assert f"pid {first.pid}" in refused.err
    assert str(first.pid) in status["holder"]
    assert status["unfinished"] == ""
    assert busy.opsctl("status", "--no-stats", "--json").json["holder"] == ""


def _as_another_user(stage: Stage) -> Done:
    """Deploy from another state directory, as another user's is: only the engine is shared."""
    state = stage.variables.get("OPSCTL_STATE_DIR")
    stage.variables["OPSCTL_STATE_DIR"] = str(stage.directory.parent / "another")
    try:
        return stage.opsctl("up")
    finally:
        del stage.variables["OPSCTL_STATE_DIR"]
        if state:
            stage.variables["OPSCTL_STATE_DIR"] = state


def test_the_second_deploy_may_wait_for_the_first(stage: Stage) -> None:
    stage.write({"web": WEB, "store": STORE})
    stage.version("1")

    with stage.start("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "up:" in said.readline(), 80, "the first to start")
        second = stage.opsctl("up", "--lock-timeout", "60s")
        said.read()

    assert (first.returncode, second.exit_code) == (0, 0), second.err
    assert "nothing changed" in second.out


def test_a_kill_frees_the_lock_at_once(busy: Stage) -> None:
    with busy.start("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "verify:" in said.readline(), 80, "the first to verify")
        first.kill()
        said.read()
    busy.write({"web": WEB, "store": STORE})

    done = busy.up()

    assert "was cut off in step verify" in done.err
    assert busy.serves() == "1"


def test_the_lock_of_one_user_can_be_taken_by_every_other(stage: Stage) -> None:
    stage.write({"store": STORE})
    stage.up()

    (lock,) = stage.directory.parent.glob("opsctl-*.lock")

    assert lock.stat().st_mode & 0o777 == 0o666
    assert lock.name.startswith(f"opsctl-{stage.project}-")


def test_another_environment_is_not_kept_waiting(busy: Stage) -> None:
    busy.write({"store": STORE}, env="prod")
    busy.commit("Production")
    with busy.start("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "verify:" in said.readline(), 80, "the first to verify")
        busy.env = "prod"
        other = busy.opsctl("up")
        first.terminate()
        said.read()

    assert other.exit_code == 0, other.err
