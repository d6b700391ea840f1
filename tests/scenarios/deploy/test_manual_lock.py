from tests.engines.ssh import SshServer
from tests.scenarios.deploy.deployed_project import STORE, DeployedProject


def test_a_locked_environment_is_not_changed_until_it_is_unlocked(project: DeployedProject) -> None:
    project.write_compose_file({"store": STORE})
    project.commit("One")

    locked = project.opsctl("lock", "restoring a backup", "--json")
    again = project.opsctl("lock", "restoring a backup until noon")
    refused = [
        project.opsctl(*words)
        for words in (("up",), ("rollback",), ("restart",), ("down", "-y"), ("prune", "-y"))
    ]
    plan = project.opsctl("up", "-n")
    status = project.opsctl("status", "--no-stats")
    lifted = project.opsctl("unlock", "--json")
    twice = project.opsctl("unlock")
    done = project.run_up()

    assert locked.exit_code == again.exit_code == lifted.exit_code == twice.exit_code == 0
    assert locked.json["lock"]["message"] == "restoring a backup"
    assert "lifted: locked by" in again.out
    for result in refused:
        assert result.exit_code == 5, result.err
        assert "restoring a backup until noon" in result.err
        assert "opsctl unlock -e dev" in result.err
    assert (plan.exit_code, "this would be refused: locked by" in plan.out) == (0, True)
    assert "restoring a backup until noon" in status.out
    assert lifted.json["lifted"]["message"] == "restoring a backup until noon"
    assert "was not locked" in twice.out
    assert done.exit_code == 0


def test_a_lock_is_seen_by_every_user_and_over_ssh(
    project: DeployedProject, ssh_server: SshServer
) -> None:
    socket = project.engine.host.removeprefix("unix://")
    folder = ssh_server.client(project.directory.parent / "bin")
    project.write_compose_file({"store": STORE})
    local = project.opsctl("lock", "set here")
    project.variables["OPSCTL_STATE_DIR"] = str(project.directory.parent / "another")
    project.variables["PATH"] = f"{folder}:{project.environment['PATH']}"
    project.add_settings(environments={"dev": {"host": f"{ssh_server.address}{socket}"}})

    seen = project.opsctl("up")
    lifted = project.opsctl("unlock")
    far = project.opsctl("lock", "it's set; there")
    project.add_settings(environments={})
    here = project.opsctl("up")

    assert (local.exit_code, seen.exit_code, lifted.exit_code) == (0, 5, 0), seen.err
    assert "set here" in seen.err
    assert "set here" in lifted.out
    assert far.exit_code == 0, far.err
    assert (here.exit_code, "it's set; there" in here.err) == (5, True), here.err
