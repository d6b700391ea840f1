import json

import pytest

from tests.engines.docker import BUSYBOX
from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject

ONCE = {"image": BUSYBOX, "command": ["echo", "done"]}


def test_the_plan_that_is_shown_is_the_plan_that_runs(project: DeployedProject) -> None:
    project.write_compose_file({"web": WEB, "store": STORE, "once": ONCE})
    project.commit_version("1")

    shown = project.opsctl("up", "-n", "--json").json
    before = project.container_names()
    done = project.run_up()

    assert before == []
    for step in shown["steps"]:
        assert f"{step['kind']}: {step['what']}" in done.err
    assert [step["kind"] for step in shown["steps"]] == [
        *("preflight", "lock", "snapshot", "build", "up", "verify", "record"),
    ]
    assert all(step["reason"] for step in shown["steps"])


def test_a_plan_with_changes_exits_4_when_asked(project: DeployedProject) -> None:
    project.write_compose_file({"store": STORE})

    before = project.opsctl("up", "-n", "--exit-code").exit_code
    project.run_up()
    after = project.opsctl("up", "-n", "--exit-code").exit_code

    assert (before, after) == (4, 0)


def test_an_unchanged_up_touches_nothing_and_records_nothing(project: DeployedProject) -> None:
    project.write_compose_file({"web": WEB, "store": STORE, "once": ONCE})
    project.commit_version("1")
    project.run_up()
    before = project.container_ids()

    done = project.run_up("--json")

    assert done.json["outcome"] == "unchanged"
    assert project.container_ids() == before
    assert project.outcomes() == ["done"]


def test_only_the_changed_service_is_recreated(project: DeployedProject) -> None:
    project.deploy_version()
    before = project.container_ids()

    project.commit_version("2")
    project.run_up()

    after = project.container_ids()
    assert project.served_version() == "2"
    assert after[project.container_name("store")] == before[project.container_name("store")]
    assert after[project.container_name("web")] != before[project.container_name("web")]
    assert project.data == "do not lose this"


def test_a_service_that_left_the_file_is_removed(project: DeployedProject) -> None:
    project.write_compose_file({"store": STORE, "old": {**STORE, "volumes": []}})
    project.run_up()

    project.write_compose_file({"store": STORE})
    plan = project.opsctl("up", "-n", "--json").json
    project.run_up()

    assert {"service": "old", "change": "remove"}.items() <= plan["services"][-1].items()
    assert project.container_names() == [project.container_name("store")]


def test_a_named_service_alone_is_deployed(project: DeployedProject) -> None:
    project.write_compose_file({"a": STORE, "b": STORE})
    project.run_up()
    before = project.container_ids()

    project.write_compose_file(
        {"a": {**STORE, "environment": {"X": "2"}}, "b": {**STORE, "environment": ["X=2"]}}
    )
    project.run_up("a")

    after = project.container_ids()
    assert after[project.container_name("a")] != before[project.container_name("a")]
    assert after[project.container_name("b")] == before[project.container_name("b")]
    drift = {
        service["service"]: service["drift"]
        for service in project.opsctl("status", "--json").json["services"]
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
    project: DeployedProject, environment: object, env: str, said: str
) -> None:
    project.env = env
    extra = {"environment": environment} if environment else {}
    project.write_compose_file(
        {"store": {**STORE, **extra}}, env="prod" if env == "prod" else "dev"
    )
    project.commit("One")

    project.run_up()

    assert project.read_variable("store", "APP_ENV") == said


def test_values_with_dollars_and_secrets_arrive_as_with_plain_compose(
    project: DeployedProject,
) -> None:
    (project.directory / ".env").write_text("SHOP_PASSWORD='pa$$ss ${x} \"q\"'\n")
    service = {**STORE, "environment": {"P": "${SHOP_PASSWORD}", "D": "a$$b"}}
    project.write_compose_file({"store": service})

    done = project.run_up()

    inside = project.read_variable("store", "P"), project.read_variable("store", "D")
    assert inside == ('pa$$ss ${x} "q"', "a$b")
    assert "pa$$ss" not in done.err + done.out


def test_what_is_kept_of_a_release_is_private(project: DeployedProject) -> None:
    project.write_compose_file({"store": {**STORE, "environment": {"PASSWORD": "hunter2hunter2"}}})

    done = project.run_up()

    state = project.directory.parent / "state"
    kept = [path for path in state.rglob("*") if path.is_file()]
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in (state, *state.rglob("*")))
    assert "hunter2hunter2" not in done.out + done.err
    database = (state / "state.db").read_bytes()
    assert b"hunter2hunter2" not in database


def test_a_failing_one_shot_fails_the_deploy_and_a_good_one_does_not(
    project: DeployedProject,
) -> None:
    project.write_compose_file({"store": STORE, "once": ONCE})
    project.run_up()

    project.write_compose_file(
        {"store": STORE, "once": {**ONCE, "command": ["sh", "-c", "echo oh no; exit 3"]}}
    )
    done = project.run_up(exit_code=1)

    assert "exit code 3" in done.err
    assert "oh no" in done.err


@pytest.mark.parametrize("name", ["$(touch pwned)", "; touch pwned", "--help", "-v", "../web"])
def test_a_hostile_service_name_is_only_data(project: DeployedProject, name: str) -> None:
    project.write_compose_file({"store": STORE})

    done = project.opsctl("up", "--", name)
    logs = project.opsctl("logs", "--", name)

    assert (done.exit_code, logs.exit_code) == (2, 2)
    assert "is not a service of this project" in done.err
    assert not list(project.directory.rglob("pwned"))
    assert project.container_names() == []


def test_a_hostile_branch_name_is_only_data(project: DeployedProject) -> None:
    project.write_compose_file({"web": WEB})
    project.commit_version("1")
    project.git("branch", "--", "a;touch$IFS'pwned'")
    project.git("update-ref", "refs/heads/--upload-pack=touch_pwned", "HEAD")
    project.git("symbolic-ref", "HEAD", "refs/heads/--upload-pack=touch_pwned")

    project.run_up()

    assert project.served_version() == "1"
    assert not list(project.directory.glob("*pwned"))


def test_logs_are_printed_as_text_and_as_json_lines(project: DeployedProject) -> None:
    project.deploy_version()

    text = project.opsctl("logs", "web", "--lines", "5")
    lines = project.opsctl("logs", "web", "--json").out.splitlines()

    assert "serving 1" in text.out
    assert "2K" not in text.out + "".join(lines)
    assert any("serving 1" in json.loads(line)["line"] for line in lines)


def test_down_removes_containers_and_one_off_runs_and_keeps_the_data(
    project: DeployedProject,
) -> None:
    project.deploy_version()
    project.engine.run(
        *(
            "compose",
            "-p",
            project.compose_project,
            "-f",
            f"{project.directory}/docker-compose.dev.yml",
        ),
        *("run", "--detach", "--no-deps", "store", "sleep", "1000"),
    )

    plan = project.opsctl("down", "-n", "--json").json
    done = project.opsctl("down", "--yes")

    steps = [step["what"] for step in plan["steps"]]
    assert len(steps) == 4
    assert steps[-1] == f"remove network {project.compose_project}_default"
    assert done.exit_code == 0, done.err
    assert project.container_names() == []
    assert project.compose_project not in project.engine.run("network", "ls")
    project.run_up()
    assert project.data == "do not lose this"


def test_down_in_production_must_be_confirmed_by_name(prod: DeployedProject) -> None:
    prod.write_compose_file({"store": STORE})
    prod.commit("One")
    prod.run_up()

    unconfirmed = prod.opsctl("down", "--yes")
    wrong = prod.opsctl("down", "--confirm", "dev")
    right = prod.opsctl("down", "--confirm", "prod")

    assert (unconfirmed.exit_code, wrong.exit_code, right.exit_code) == (2, 5, 0)
    assert "--confirm prod" in unconfirmed.err


def test_status_shows_health_figures_release_and_drift(project: DeployedProject) -> None:
    project.deploy_version()

    healthy = project.opsctl("status", "--json")
    project.engine.run("stop", "--time", "1", project.container_name("web"))
    bad = project.opsctl("status", "--no-stats")

    web = healthy.json["services"][1]
    assert healthy.exit_code == 0
    assert (web["service"], web["state"], web["restarts"], web["drift"]) == (
        "web",
        "running",
        0,
        "",
    )
    assert web["memory_bytes"] > 0
    assert healthy.json["release"] == project.history()[0]["id"]
    assert bad.exit_code == 3
    assert "opsctl up -e dev" in bad.out


def test_history_shows_commit_who_when_images_and_outcome(project: DeployedProject) -> None:
    project.deploy_version()

    (release,) = project.history()

    assert release["git_sha"] == project.git("rev-parse", "HEAD")
    assert release["git_subject"] == "Serve 1"
    assert release["who"]
    assert release["duration_s"] > 0
    image = project.engine.run("inspect", "--format", "{{.Image}}", project.container_name("web"))
    assert release["images"]["web"] == image
