"""A failed deploy raises an alert; the next one that is live resolves it."""

from tests.engines.webhook import WebhookServer
from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject


def test_a_failed_deploy_raises_an_alert_and_the_next_one_resolves_it(
    project: DeployedProject, webhook_server: WebhookServer
) -> None:
    project.variables |= {
        "OPSCTL_NOTIFY_WEBHOOK_URL": webhook_server.url,
        "OPSCTL_NOTIFY_ALLOW_HTTP": "true",
        "OPSCTL_NOTIFY_ALLOW_ADDRESSES": "127.0.0.1/32",
        # Otherwise the second message waits for an hour: one message per alert in that time.
        "OPSCTL_NOTIFY_REPEAT_S": "0.01",
        "OPSCTL_NOTIFY_COMMAND_WAIT_S": "20",
        # What ends at once ends within the stable window also where ending takes its time.
        "OPSCTL_DEPLOY_STABLE_S": "3",
    }
    project.write_compose_file({"web": WEB, "store": STORE})
    project.commit_version("1")
    project.run_up()
    quiet = len(webhook_server.bodies)

    project.commit_version("bad")
    project.run_up(exit_code=1)
    project.commit_version("2")
    project.run_up()

    assert quiet == 0
    raised, resolved = webhook_server.bodies
    assert b"raised" in raised
    assert project.compose_project.encode() in raised
    assert b"resolved" in resolved
