import pytest

from tests.engines.ssh import SshServer
from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject
from tests.waiting import wait_for

SLOW = {**WEB, "healthcheck": {"test": ["CMD", "false"], "interval": "1s", "start_period": "600s"}}


@pytest.fixture
def remote(project: DeployedProject, ssh_server: SshServer) -> DeployedProject:
    """A project whose engine is reached over ssh, on loopback."""
    socket = project.engine.host.removeprefix("unix://")
    folder = ssh_server.client(project.directory.parent / "bin")
    project.variables["PATH"] = f"{folder}:{project.environment['PATH']}"
    _point_at(project, f"{ssh_server.address}{socket}")
    return project


def _point_at(project: DeployedProject, address: str) -> None:
    project.add_settings(environments={"dev": {"host": address}})


def test_a_remote_engine_is_driven_over_ssh(remote: DeployedProject) -> None:
    remote.deploy_version("1")
    remote.commit_version("2")
    remote.run_up()

    status = remote.opsctl("status", "--json")
    back = remote.opsctl("rollback")

    assert status.exit_code == 0, status.err
    assert status.json["engine"].startswith("ssh://")
    assert back.exit_code == 0, back.err
    assert remote.served_version() == "1"
    assert remote.data == "do not lose this"
    assert not list((remote.directory.parent / "state").glob("*.sock"))


def test_local_deploys_and_deploys_over_ssh_share_one_lock(remote: DeployedProject) -> None:
    remote.write_compose_file({"web": SLOW, "store": STORE})
    remote.commit_version("1")

    with remote.start_opsctl("up") as first:
        said = first.stderr
        assert said is not None
        wait_for(lambda: "verify:" in said.readline(), 80, "the first to verify")
        remote.variables["OPSCTL_STATE_DIR"] = str(remote.directory.parent / "another")
        over_ssh = remote.opsctl("up")
        holder = remote.opsctl("status", "--no-stats", "--json").json["holder"]
        _point_at(remote, "")
        here = remote.opsctl("up")
        first.kill()
        said.read()
    remote.write_compose_file({"web": WEB, "store": STORE})
    after = remote.run_up("--lock-timeout", "60s")

    assert (over_ssh.exit_code, here.exit_code) == (75, 75), over_ssh.err + here.err
    assert f"pid {first.pid}" in over_ssh.err
    assert f"pid {first.pid}" in here.err
    assert f"pid {first.pid}" in holder
    assert after.exit_code == 0


def test_a_bind_mount_of_this_machine_is_refused_on_a_remote_engine(
    remote: DeployedProject,
) -> None:
    remote.write_compose_file({"store": {**STORE, "volumes": ["./etc:/etc/shop"]}})

    done = remote.opsctl("up", "-n")

    assert done.exit_code == 5
    assert "a path on this machine" in done.err


@pytest.mark.parametrize("host", ["ssh://100.64.0.7", "ssh://example.invalid", "ssh://10.0.0.1"])
def test_a_host_that_is_not_proved_to_be_on_the_tailnet_is_refused(
    remote: DeployedProject, host: str
) -> None:
    tailscale = remote.directory.parent / "bin" / "tailscale"
    tailscale.write_text('#!/bin/sh\necho \'{"BackendState": "Stopped"}\'\n')
    tailscale.chmod(0o755)
    remote.write_compose_file({"store": STORE})
    _point_at(remote, host)

    done = remote.opsctl("up")

    assert done.exit_code == 5, done.err
    assert "cannot verify that" in done.err


@pytest.mark.parametrize("host", ["ssh://-oProxyCommand=touch", "tcp://10.0.0.1:2375", "ssh://"])
def test_an_invalid_engine_address_is_a_settings_error(remote: DeployedProject, host: str) -> None:
    remote.write_compose_file({"store": STORE})
    _point_at(remote, host)

    assert remote.opsctl("up").exit_code == 6
