import pytest

from tests.engines.ssh import SshServer
from tests.scenarios.deploy.stage import STORE, WEB, Stage
from tests.waiting import wait_for

SLOW = {**WEB, "healthcheck": {"test": ["CMD", "false"], "interval": "1s", "start_period": "600s"}}


@pytest.fixture
def remote(stage: Stage, ssh_server: SshServer) -> Stage:
    """A project whose engine is reached over ssh, on loopback."""
    socket = stage.engine.host.removeprefix("unix://")
    folder = ssh_server.client(stage.directory.parent / "bin")
    stage.variables["PATH"] = f"{folder}:{stage.environment['PATH']}"
    _point_at(stage, f"{ssh_server.address}{socket}")
    return stage


def _point_at(stage: Stage, address: str) -> None:
    stage.settings(environments={"dev": {"host": address}})


def test_a_remote_engine_is_driven_over_ssh(remote: Stage) -> None:
    remote.deploy("1")
    remote.version("2")
    remote.up()

    status = remote.opsctl("status", "--json")
    back = remote.opsctl("rollback")

    assert status.exit_code == 0, status.err
    assert status.json["engine"].startswith("ssh://")
    assert back.exit_code == 0, back.err
    assert remote.serves() == "1"
    assert remote.precious == "do not lose this"
    assert not list((remote.directory.parent / "state").glob("*.sock"))


def test_one_lock_holds_for_those_who_come_over_ssh_and_those_who_do_not(remote: Stage) -> None:
    remote.write({"web": SLOW, "store": STORE})
    remote.version("1")

    with remote.start("up") as first:
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
    remote.write({"web": WEB, "store": STORE})
    after = remote.up("--lock-timeout", "60s")

    assert (over_ssh.exit_code, here.exit_code) == (75, 75), over_ssh.err + here.err
    assert f"pid {first.pid}" in over_ssh.err
    assert f"pid {first.pid}" in here.err
    assert f"pid {first.pid}" in holder
    assert after.exit_code == 0


def test_a_bind_mount_of_this_machine_is_refused_on_another_one(remote: Stage) -> None:
    remote.write({"store": {**STORE, "volumes": ["./etc:/etc/shop"]}})

    done = remote.opsctl("up", "-n")

    assert done.exit_code == 5
    assert "a path of this machine" in done.err


@pytest.mark.parametrize("host", ["ssh://100.64.0.7", "ssh://example.invalid", "ssh://10.0.0.1"])
def test_a_host_that_is_not_proved_to_be_on_the_tailnet_is_refused(
    remote: Stage, host: str
) -> None:
    tailscale = remote.directory.parent / "bin" / "tailscale"
    tailscale.write_text('#!/bin/sh\necho \'{"BackendState": "Stopped"}\'\n')
    tailscale.chmod(0o755)
    remote.write({"store": STORE})
    _point_at(remote, host)

    done = remote.opsctl("up")

    assert done.exit_code == 5, done.err
    assert "not proved to be on the tailnet" in done.err


@pytest.mark.parametrize("host", ["ssh://-oProxyCommand=touch", "tcp://10.0.0.1:2375", "ssh://"])
def test_an_address_that_is_none_is_a_wrong_setting(remote: Stage, host: str) -> None:
    remote.write({"store": STORE})
    _point_at(remote, host)

    assert remote.opsctl("up").exit_code == 6
