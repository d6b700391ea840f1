import sys
from typing import Any

from tests.scenarios.deploy.deployed_project import ROOT, WEB, DeployedProject

PASSWORD = "hunter2hunter2"
OPSCTL = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "opsctl"]
SHOW = 'echo "hook $OPSCTL_ENV $OPSCTL_RELEASE $OPSCTL_COMMIT"; pwd; env >hook.env; cat .env'


def _set_hooks(project: DeployedProject, **hooks: Any) -> None:
    project.add_settings(deploy={"hooks": hooks})
    project.commit("Set hooks")


def test_hooks_run_around_the_swap_and_not_when_nothing_changes(
    project: DeployedProject,
) -> None:
    (project.directory / ".env").write_text(f"SHOP_PASSWORD={PASSWORD}\n")
    (project.directory / ".gitignore").write_text(".env\nhook.env\n")
    web = {**WEB, "environment": {"SHOP_PASSWORD": "${SHOP_PASSWORD}"}}
    project.write_compose_file({"web": web})
    project.commit_version("1")
    _set_hooks(project, before_up=[["sh", "-c", SHOW]], after_up=[[*OPSCTL, "status"]])

    plan = project.opsctl("up", "-n", "--json").json
    first = project.run_up()
    idle = project.run_up()

    kinds = [step["kind"] for step in plan["steps"]]
    release, head = project.history()[0]["id"], project.git("rev-parse", "HEAD")
    assert kinds[-6:] == ["build", "before_up", "up", "verify", "after_up", "record"]
    assert f"hook dev {release} {head}" in first.err
    assert str(project.directory) in first.err
    assert "deploy in progress" in first.err
    assert PASSWORD not in first.err + first.out
    assert PASSWORD not in (project.directory / "hook.env").read_text()
    assert "hook dev" not in idle.err


def test_a_hook_that_fails_fails_its_step(project: DeployedProject) -> None:
    project.deploy_version("1")
    project.commit_version("2")

    _set_hooks(project, before_up=[[*OPSCTL, "up", "--lock-timeout", "60s"]])
    nested = project.run_up(exit_code=1)
    _set_hooks(project, before_up=[["sleep", "100"]], timeout_s=0.5)
    late = project.run_up(exit_code=1)
    untouched = project.served_version()
    _set_hooks(project, after_up=[["sh", "-c", "echo no good; exit 3"]])
    restored = project.run_up(exit_code=1)

    assert "from a hook of its own deploy" in nested.err
    assert "did not finish within 0.5 s" in late.err
    assert untouched == project.served_version() == "1"
    assert "no good" in restored.err
    assert "restored the previous release" in restored.err
    assert project.outcomes() == ["restored", "failed", "failed", "done"]
