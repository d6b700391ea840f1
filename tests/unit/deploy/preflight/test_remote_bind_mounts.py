from opsctl.deploy.preflight.remote_bind_mounts import check_bind_mounts
from tests.unit.deploy.observations import make_observation, make_target, run_check

VOLUMES = [{"type": "bind", "source": "/srv/shop/etc", "target": "/x"}]
SERVICES = {"web": {"image": "web:1", "volumes": VOLUMES}}


def test_a_path_of_the_checkout_is_refused_on_a_remote_engine() -> None:
    local = make_observation(SERVICES)
    remote = make_observation(SERVICES, target=make_target(is_remote=True))

    assert run_check(check_bind_mounts, local) == []
    assert run_check(check_bind_mounts, remote) == [("bind mount on a remote engine", False)]
