"""A failed deploy is told where settings say; the next one that is live ends the alert."""

from tests.engines.hook import Hook
from tests.scenarios.deploy.stage import STORE, WEB, Stage


def test_a_failed_deploy_is_told_and_the_next_one_resolves_it(stage: Stage, hook: Hook) -> None:
    stage.variables |= {
        "OPSCTL_NOTIFY_WEBHOOK_URL": hook.url,
        "OPSCTL_NOTIFY_ALLOW_HTTP": "true",
        "OPSCTL_NOTIFY_ALLOW_ADDRESSES": "127.0.0.1/32",
        # Otherwise the end waits for an hour to pass: one message a trouble in that time.
        "OPSCTL_NOTIFY_REPEAT_S": "0.01",
        "OPSCTL_NOTIFY_COMMAND_WAIT_S": "20",
        # What ends at once ends within the stable window also where ending takes its time.
        "OPSCTL_DEPLOY_STABLE_S": "3",
    }
    stage.write({"web": WEB, "store": STORE})
    stage.version("1")
    stage.up()
    quiet = len(hook.bodies)

    stage.version("bad")
    stage.up(exit_code=1)
    stage.version("2")
    stage.up()

    assert quiet == 0
    raised, resolved = hook.bodies
    assert b"raised" in raised
    assert stage.project.encode() in raised
    assert b"resolved" in resolved
