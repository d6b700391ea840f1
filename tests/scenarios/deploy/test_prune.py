import os
import signal
import subprocess

import pytest

from tests.engines.docker import BUSYBOX
from tests.scenarios.deploy.stage import STORE, WEB, Stage


def _image(stage: Stage) -> str:
    return stage.engine.run("inspect", "--format", "{{.Image}}", stage.container("web"))


def _has(stage: Stage, image: str) -> bool:
    return stage.engine.attempt("image", "inspect", image).returncode == 0


def _litter(stage: Stage) -> None:
    """Leave what nobody uses: a stopped container, a network, images, and a volume."""
    name = stage.name
    stage.engine.run("create", "--name", f"{name}-stopped", BUSYBOX)
    stage.engine.run("network", "create", f"{name}-unused")
    stage.engine.run("volume", "create", f"{name}-data")
    stage.engine.run("tag", BUSYBOX, f"{name}-unused:1")
    dockerfile = f"FROM {BUSYBOX}\nENV UNUSED={name}\n"
    subprocess.run(
        ["docker", "-H", stage.engine.host, "build", "-q", "-t", f"{name}-built:1", "-"],
        input=dockerfile.encode(),
        check=True,
        capture_output=True,
    )


def test_a_production_deploy_cleans_up_and_never_touches_a_volume(prod: Stage) -> None:
    prod.write({"web": WEB, "store": STORE})
    prod.version("1")
    _litter(prod)

    done = prod.up()

    listed = prod.engine.run("ps", "--all") + prod.engine.run("network", "ls")
    assert f"{prod.name}-stopped" not in listed
    assert f"{prod.name}-unused" not in listed
    assert not _has(prod, f"{prod.name}-built:1")
    assert f"{prod.name}-data" in prod.engine.run("volume", "ls")
    assert "removed image" in done.err
    assert prod.serves() == "1"
    assert prod.up("--json").json["outcome"] == "unchanged"


def test_a_development_deploy_removes_nothing(stage: Stage) -> None:
    stage.write({"web": WEB, "store": STORE})
    stage.version("1")
    _litter(stage)

    stage.up()

    assert _has(stage, f"{stage.name}-built:1")
    assert f"{stage.name}-stopped" in stage.engine.run("ps", "--all")


def test_after_a_clean_up_the_release_before_is_brought_back_without_a_network(
    prod: Stage,
) -> None:
    prod.deploy("1")
    first = _image(prod)
    prod.version("2")
    prod.up()
    second = _image(prod)
    prod.version("3")
    prod.up()

    # This engine has no network but loopback: nothing could be pulled.
    done = prod.opsctl("rollback")

    assert done.exit_code == 0, done.err
    assert prod.serves() == "2"
    assert _image(prod) == second
    assert not _has(prod, first)
    assert prod.precious == "do not lose this"
    newest = prod.history()[0]
    assert (newest["kind"], newest["git_subject"]) == ("rollback", "Serve 2")


def test_a_rollback_by_name_and_by_commit(stage: Stage) -> None:
    stage.deploy("1")
    commit = stage.git("rev-parse", "HEAD")
    for version in ("2", "3"):
        stage.version(version)
        stage.up()
    second = stage.history()[1]["id"]

    by_name = stage.opsctl("rollback", second)
    served = stage.serves()
    by_commit = stage.opsctl("rollback", commit[:10])

    assert (by_name.exit_code, by_commit.exit_code) == (0, 0), by_commit.err
    assert (served, stage.serves()) == ("2", "1")


def test_going_back_twice_goes_back_two_releases(stage: Stage) -> None:
    stage.deploy("1")
    for version in ("2", "3"):
        stage.version(version)
        stage.up()

    served = [(stage.opsctl("rollback").exit_code, stage.serves()) for _ in range(2)]
    last = stage.opsctl("rollback")

    assert served == [(0, "2"), (0, "1")]
    assert last.exit_code == 1
    assert "no release" in last.err


def test_with_nothing_kept_a_rollback_builds_again_from_the_commit(prod: Stage) -> None:
    prod.variables["OPSCTL_DEPLOY_KEEP_RELEASES"] = "0"
    prod.deploy("1")
    first = _image(prod)
    prod.version("2")
    prod.up()
    gone = not _has(prod, first)

    plan = prod.opsctl("rollback", "-n")
    done = prod.opsctl("rollback")

    assert gone
    assert "build it from commit" in plan.out
    assert done.exit_code == 0, done.err
    assert prod.serves() == "1"
    assert prod.git("worktree", "list").count("\n") == 0


def test_what_must_be_kept_and_is_not_there_stops_the_clean_up_not_the_deploy(
    prod: Stage,
) -> None:
    prod.deploy("1")
    prod.version("2")
    prod.variables["OPSCTL_DEPLOY_PRUNE"] = "false"
    prod.up()
    prod.engine.run("system", "prune", "--all", "--force")
    del prod.variables["OPSCTL_DEPLOY_PRUNE"]
    prod.engine.run("volume", "create", f"{prod.name}-data")

    by_hand = prod.opsctl("prune", "--yes")
    forced = prod.opsctl("prune", "--yes", "--keep", "0")

    assert "nothing was removed" in by_hand.out
    assert forced.exit_code == 0, forced.err
    assert prod.serves() == "2"


def test_a_clean_up_that_meets_another_one_fails_no_deploy(prod: Stage) -> None:
    prod.deploy("1")
    prod.version("2")
    prune = f"while docker -H {prod.engine.host} system prune -f; do :; done"
    with subprocess.Popen(
        ["sh", "-c", prune],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as other:
        done = prod.opsctl("up")
        # The shell and the clean-up that it runs: that one would meet the next test.
        os.killpg(other.pid, signal.SIGKILL)

    assert done.exit_code == 0, done.err
    assert prod.serves() == "2"
    assert prod.precious == "do not lose this"


def test_development_and_production_of_one_folder_leave_each_other_alone(stage: Stage) -> None:
    stage.deploy("1")
    mine = stage.ids()
    stage.env = "prod"
    stage.write({"web": WEB, "store": STORE, "only-prod": STORE})
    stage.commit("Production")
    stage.up()
    theirs = stage.ids()

    stage.env = "dev"
    stage.write({"store": STORE})
    dev_after_prod = stage.ids()
    stage.up()

    assert dev_after_prod == mine
    assert stage.names() == [stage.container("store")]
    assert stage.precious == "do not lose this"
    stage.env = "prod"
    assert stage.ids() == theirs


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_a_clean_up_by_hand_shows_its_plan_and_keeps_what_runs(stage: Stage, env: str) -> None:
    stage.env = env
    stage.deploy("1")
    _litter(stage)

    plan = stage.opsctl("prune", "-n", "--json").json
    still_there = _has(stage, f"{stage.name}-built:1")
    unasked = stage.opsctl("prune")
    done = stage.opsctl("prune", "--yes", "--json").json

    kinds = {one["kind"] for one in plan["doomed"]}
    assert {"container", "network", "image"} <= kinds
    assert still_there
    assert unasked.exit_code == 2
    assert not _has(stage, f"{stage.name}-built:1")
    assert {one["name"] for one in done["removed"]} >= {f"{stage.name}-stopped"}
    assert stage.up("--json").json["outcome"] == "unchanged"
