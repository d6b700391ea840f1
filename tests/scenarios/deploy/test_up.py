import json

import pytest

from tests.engines.docker import BUSYBOX
from tests.scenarios.deploy.stage import STORE, WEB, Stage

ONCE = {"image": BUSYBOX, "command": ["echo", "done"]}


def test_the_plan_that_is_shown_is_the_plan_that_runs(stage: Stage) -> None:
    stage.write({"web": WEB, "store": STORE, "once": ONCE})
    stage.version("1")

    shown = stage.opsctl("up", "-n", "--json").json
    nothing_yet = stage.names()
    done = stage.up()

    assert nothing_yet == []
    for step in shown["steps"]:
        assert f"{step['act']}: {step['what']}" in done.err
    assert [one["act"] for one in shown["steps"]] == [
        *("preflight", "lock", "snapshot", "build", "up", "verify", "record"),
    ]
    assert all(step["reason"] for step in shown["steps"])


def test_a_plan_with_changes_exits_4_when_asked(stage: Stage) -> None:
    stage.write({"store": STORE})

    before = stage.opsctl("up", "-n", "--exit-code").exit_code
    stage.up()
    after = stage.opsctl("up", "-n", "--exit-code").exit_code

    assert (before, after) == (4, 0)


def test_an_unchanged_up_touches_nothing_and_records_nothing(stage: Stage) -> None:
    stage.write({"web": WEB, "store": STORE, "once": ONCE})
    stage.version("1")
    stage.up()
    before = stage.ids()

    done = stage.up("--json")

    assert done.json["outcome"] == "unchanged"
    assert stage.ids() == before
    assert stage.outcomes() == ["done"]


def test_only_the_changed_service_is_recreated(stage: Stage) -> None:
    stage.deploy()
    before = stage.ids()

    stage.version("2")
    stage.up()

    after = stage.ids()
    assert stage.serves() == "2"
    assert after[stage.container("store")] == before[stage.container("store")]
    assert after[stage.container("web")] != before[stage.container("web")]
    assert stage.precious == "do not lose this"


def test_a_service_that_left_the_file_is_removed(stage: Stage) -> None:
    stage.write({"store": STORE, "old": {**STORE, "volumes": []}})
    stage.up()

    stage.write({"store": STORE})
    plan = stage.opsctl("up", "-n", "--json").json
    stage.up()

    assert {"service": "old", "change": "remove"}.items() <= plan["services"][-1].items()
    assert stage.names() == [stage.container("store")]


def test_a_named_service_alone_is_deployed(stage: Stage) -> None:
    stage.write({"a": STORE, "b": STORE})
    stage.up()
    before = stage.ids()

    stage.write({"a": {**STORE, "environment": {"X": "2"}}, "b": {**STORE, "environment": ["X=2"]}})
    stage.up("a")

    after = stage.ids()
    assert after[stage.container("a")] != before[stage.container("a")]
    assert after[stage.container("b")] == before[stage.container("b")]
    drift = {
        one["service"]: one["drift"] for one in stage.opsctl("status", "--json").json["services"]
    }
    assert drift["a"] == ""
    assert drift["b"].startswith("recreate")


@pytest.mark.parametrize(
    ("environment", "env", "said"),
    [
        (["APP_ENV=wrong", "X=1"], "dev", "development"),
        ({"APP_ENV": "wrong"}, "prod", "production"),
        (None, "local", "development"),
    ],
)
def test_app_env_reaches_every_container(
    stage: Stage, environment: object, env: str, said: str
) -> None:
    stage.env = env
    extra = {"environment": environment} if environment else {}
    stage.write({"store": {**STORE, **extra}}, env="prod" if env == "prod" else "dev")
    stage.commit("One")

    stage.up()

    assert stage.inside("store", "APP_ENV") == said


def test_values_with_dollars_and_secrets_arrive_as_plain_compose_would_hand_them_over(
    stage: Stage,
) -> None:
    (stage.directory / ".env").write_text("SHOP_PASSWORD='pa$$ss ${x} \"q\"'\n")
    service = {**STORE, "environment": {"P": "${SHOP_PASSWORD}", "D": "a$$b"}}
    stage.write({"store": service})

    done = stage.up()

    inside = stage.inside("store", "P"), stage.inside("store", "D")
    assert inside == ('pa$$ss ${x} "q"', "a$b")
    assert "pa$$ss" not in done.err + done.out


def test_what_is_kept_of_a_release_is_private(stage: Stage) -> None:
    stage.write({"store": {**STORE, "environment": {"PASSWORD": "hunter2hunter2"}}})

    done = stage.up()

    state = stage.directory.parent / "state"
    kept = [path for path in state.rglob("*") if path.is_file()]
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in (state, *state.rglob("*")))
    assert "hunter2hunter2" not in done.out + done.err
    database = (state / "state.db").read_bytes()
    assert b"hunter2hunter2" not in database


def test_a_failing_one_shot_fails_the_deploy_and_a_good_one_does_not(stage: Stage) -> None:
    stage.write({"store": STORE, "once": ONCE})
    stage.up()

    stage.write({"store": STORE, "once": {**ONCE, "command": ["sh", "-c", "echo oh no; exit 3"]}})
    done = stage.up(exit_code=1)

    assert "exit code 3" in done.err
    assert "oh no" in done.err


@pytest.mark.parametrize("name", ["$(touch pwned)", "; touch pwned", "--help", "-v", "../web"])
def test_a_hostile_service_name_is_only_data(stage: Stage, name: str) -> None:
    stage.write({"store": STORE})

    done = stage.opsctl("up", "--", name)
    logs = stage.opsctl("logs", "--", name)

    assert (done.exit_code, logs.exit_code) == (2, 2)
    assert "is not a service of this project" in done.err
    assert not list(stage.directory.rglob("pwned"))
    assert stage.names() == []


def test_a_hostile_branch_name_is_only_data(stage: Stage) -> None:
    stage.write({"web": WEB})
    stage.version("1")
    stage.git("branch", "--", "a;touch$IFS'pwned'")
    stage.git("update-ref", "refs/heads/--upload-pack=touch_pwned", "HEAD")
    stage.git("symbolic-ref", "HEAD", "refs/heads/--upload-pack=touch_pwned")

    stage.up()

    assert stage.serves() == "1"
    assert not list(stage.directory.glob("*pwned"))


def test_logs_show_what_a_service_said_as_text_and_as_json_lines(stage: Stage) -> None:
    stage.deploy()

    text = stage.opsctl("logs", "web", "--lines", "5")
    lines = stage.opsctl("logs", "web", "--json").out.splitlines()

    assert "serving 1" in text.out
    assert any("serving 1" in json.loads(line)["line"] for line in lines)


def test_down_removes_containers_and_one_off_runs_and_keeps_the_data(stage: Stage) -> None:
    stage.deploy()
    stage.engine.run(
        *("compose", "-p", stage.project, "-f", f"{stage.directory}/docker-compose.dev.yml"),
        *("run", "--detach", "--no-deps", "store", "sleep", "1000"),
    )

    plan = stage.opsctl("down", "-n", "--json").json
    done = stage.opsctl("down", "--yes")

    assert len(plan["steps"]) == 3
    assert done.exit_code == 0, done.err
    assert stage.names() == []
    assert stage.project not in stage.engine.run("network", "ls")
    stage.up()
    assert stage.precious == "do not lose this"


def test_down_in_production_wants_the_name_typed(prod: Stage) -> None:
    prod.write({"store": STORE})
    prod.commit("One")
    prod.up()

    unasked = prod.opsctl("down", "--yes")
    wrong = prod.opsctl("down", "--confirm", "dev")
    right = prod.opsctl("down", "--confirm", "prod")

    assert (unasked.exit_code, wrong.exit_code, right.exit_code) == (2, 5, 0)
    assert "--confirm prod" in unasked.err


def test_status_tells_health_figures_release_and_drift(stage: Stage) -> None:
    stage.deploy()

    well = stage.opsctl("status", "--json")
    stage.engine.run("stop", "--time", "1", stage.container("web"))
    bad = stage.opsctl("status", "--no-stats")

    web = well.json["services"][1]
    assert well.exit_code == 0
    assert (web["service"], web["state"], web["restarts"], web["drift"]) == (
        "web",
        "running",
        0,
        "",
    )
    assert web["memory_bytes"] > 0
    assert well.json["release"] == stage.history()[0]["id"]
    assert bad.exit_code == 3
    assert "opsctl up -e dev" in bad.out


def test_history_tells_commit_who_when_images_and_outcome(stage: Stage) -> None:
    stage.deploy()

    (release,) = stage.history()

    assert release["git_sha"] == stage.git("rev-parse", "HEAD")
    assert release["git_subject"] == "Serve 1"
    assert release["who"]
    assert release["duration_s"] > 0
    image = stage.engine.run("inspect", "--format", "{{.Image}}", stage.container("web"))
    assert release["images"]["web"] == image
