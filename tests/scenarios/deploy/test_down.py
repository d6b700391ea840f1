from tests.scenarios.deploy.deployed_project import STORE, DeployedProject

EXTRA = {**STORE, "volumes": []}


def test_down_removes_everything_without_the_compose_file_and_keeps_volumes(
    project: DeployedProject,
) -> None:
    services = {
        "store": STORE,
        "old": {**EXTRA, "networks": ["back"]},
        "tool": {**EXTRA, "profiles": ["extra"]},
    }
    project.add_settings(environments={"dev": {"profiles": ["extra"]}})
    project.write_compose_file(services, networks={"back": {}})
    project.run_up()
    project.add_settings(environments={})
    containers = project.container_names()
    file = project.directory / "docker-compose.dev.yml"

    file.write_text("services: {{{")
    broken = [project.opsctl("status", "--no-stats"), project.opsctl("logs", "store")]
    file.unlink()
    gone = [project.opsctl("status", "--no-stats"), project.opsctl("logs", "store")]
    plan = project.opsctl("down", "-n", "--json").json
    done = project.opsctl("down", "--yes")

    assert len(containers) == 3
    for status, logs in (broken, gone):
        assert (status.exit_code, logs.exit_code) == (3, 0), status.err + logs.err
        assert "cannot render the compose project" in status.out
        assert "cannot render the compose project" in logs.err
    assert [step["what"] for step in plan["steps"]] == [
        *(f"remove {name}" for name in containers),
        f"remove network {project.compose_project}_back",
        f"remove network {project.compose_project}_default",
    ]
    assert done.exit_code == 0, done.err
    assert project.container_names() == []
    assert project.compose_project not in project.engine.run("network", "ls")
    assert f"{project.compose_project}_precious" in project.engine.run("volume", "ls")
