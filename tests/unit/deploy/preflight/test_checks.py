import pytest

from opsctl.deploy.preflight.checks import find_issues, refuse_on_issues
from opsctl.errors import RefusedError
from tests.unit.deploy.observations import make_observation, make_preflight_input

VOLUMES = [{"type": "bind", "source": "/var/run/docker.sock", "target": "/x"}]


def test_all_refusals_are_reported_at_once_with_their_fixes() -> None:
    services = {"web": {"image": "web:1", "privileged": True, "volumes": VOLUMES}}
    issues = find_issues(make_preflight_input(make_observation(services)))

    with pytest.raises(RefusedError) as refused:
        refuse_on_issues(issues, command="up")

    assert "engine's socket" in refused.value.why
    assert "privileged" in refused.value.why
    assert "deploy.allow_privileged" in refused.value.hint
