"""No output and no record has a secret, wherever the compose file has it from."""

from typing import Any

from tests.engines.docker import BUSYBOX
from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject
from tests.waiting import wait_for

FILE_SECRET, VARIABLE_SECRET = "canary-of-a-file", "canary-of-a-variable"
BUILD_SECRET = "canary-of-a-build"
PRINT_SECRETS = "cat /run/secrets/one; echo; cat /run/secrets/two; echo; echo printed;"
SECRETS = {"one": {"file": "./one.txt"}, "two": {"environment": "TWO"}}


def _printing(then: str) -> dict[str, Any]:
    command = ["sh", "-c", f"{PRINT_SECRETS} {then}"]
    return {**STORE, "volumes": [], "secrets": ["one", "two"], "command": command}


def test_secrets_of_files_variables_and_builds_are_masked_everywhere(
    project: DeployedProject,
) -> None:
    (project.directory / "one.txt").write_text(f"{FILE_SECRET}\n")
    (project.directory / ".env").write_text(f"TWO={VARIABLE_SECRET}\n")
    project.write_compose_file({"store": _printing("exec sleep 1000")}, secrets=SECRETS)
    project.run_up()
    wait_for(lambda: "printed" in project.opsctl("logs").out, 30, "the service's output")
    logs = project.opsctl("logs")
    project.write_compose_file({"store": _printing("exit 7")}, secrets=SECRETS)
    crashed = project.run_up(exit_code=1)
    token = {"build": {"context": ".", "args": {"BUILD_TOKEN": BUILD_SECRET}}}
    project.write_compose_file({"web": {**WEB, **token}})
    run = f"FROM {BUSYBOX}\nARG BUILD_TOKEN\nRUN echo token is $BUILD_TOKEN && exit 9\n"
    (project.directory / "Dockerfile").write_text(run)
    failed = project.run_up("--json", exit_code=1)
    history = project.opsctl("history"), project.opsctl("history", "--json")

    texts = [text for done in (logs, crashed, failed, *history) for text in (done.out, done.err)]
    state = b"".join(path.read_bytes() for path in project.directory.parent.glob("state/*.db*"))
    assert "***" in logs.out
    assert "***" in crashed.err
    assert "token is ***" in failed.err + failed.out
    for canary in (FILE_SECRET, VARIABLE_SECRET, BUILD_SECRET):
        assert not [text for text in texts if canary in text]
        assert canary.encode() not in state
    assert state
