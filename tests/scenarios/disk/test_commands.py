"""The installed program: exit codes, formats, secrets, and a webhook that never answers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engines.webhook import WebhookServer

REPOSITORY = Path(__file__).parents[3]
SETTINGS = """
project: {{name: stack}}
state: {{dir: {home}/state}}
disk: {{warn_percent: {warn}, critical_percent: 100, clear_percent: 0.01, folders: [], mounts: [/],
  engine_limit_s: 0.5}}
notify: {{journal: false, allow_http: true, allow_addresses: [127.0.0.1], command_wait_s: {wait_s}}}
retention: {{roots: [{home}/raw], allow: [{home}]}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "raw").mkdir()
    configure(tmp_path, warn=100)
    return tmp_path


def configure(home: Path, *, warn: float, wait_s: float = 25) -> None:
    text = SETTINGS.format(home=home, warn=warn, wait_s=wait_s)
    (home / "configs" / "opsctl.yaml").write_text(text)


def opsctl(project: Path, *words: str, hook: str = "") -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "SLACK_WEBHOOK_URL": hook}
    return subprocess.run(
        [sys.executable, "-m", "opsctl", *words],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_disk_with_space_exits_0_and_a_full_one_exits_3(project: Path) -> None:
    well = opsctl(project, "disk", "check", "--json")
    configure(project, warn=0.01)
    full = opsctl(project, "disk", "check", "--json")

    assert (well.returncode, full.returncode) == (0, 3)
    report = json.loads(full.stdout)
    assert report["schema"] == "opsctl.disk.check/1"
    (space,) = (f for f in report["findings"] if f["check"] == "disk / space")
    assert space["level"] == "warning"
    assert "du -xh" in space["fix"]


def test_nagios_and_prometheus_read_it(project: Path) -> None:
    nagios = opsctl(project, "disk", "check", "-o", "nagios")
    prom = opsctl(project, "disk", "check", "-o", "prom")

    assert nagios.returncode == 0
    assert nagios.stdout.startswith("DISK CHECK OK - ")
    assert 'opsctl_disk_check_used_percent{check="disk / space"}' in prom.stdout


def test_a_webhook_that_never_answers_blocks_no_command_and_stays_secret(
    project: Path, webhook_server: WebhookServer
) -> None:
    webhook_server.is_mute = True
    configure(project, warn=0.01, wait_s=0.5)
    opsctl(project, "disk", "check")

    began = time.monotonic()
    done = opsctl(project, "disk", "check", hook=webhook_server.url)
    took_s = time.monotonic() - began
    waiting = opsctl(project, "notify", "list", "--json", hook=webhook_server.url)

    assert done.returncode == 3
    # The webhook is mute for half a minute.
    assert took_s < 25
    everything = done.stdout + done.stderr + waiting.stdout + waiting.stderr
    kept = b"".join(path.read_bytes() for path in (project / "state").iterdir())
    assert "c4n4ry" not in everything
    assert b"c4n4ry" not in kept


def test_a_message_arrives_once(project: Path, webhook_server: WebhookServer) -> None:
    # A loaded machine may need longer to send than a command waits by default here.
    configure(project, warn=0.01, wait_s=10)

    for _ in range(3):
        opsctl(project, "disk", "check", hook=webhook_server.url)
    listed = json.loads(opsctl(project, "notify", "list", "--json", hook=webhook_server.url).stdout)

    (body,) = webhook_server.bodies
    assert "warning" in json.loads(body)["text"].lower()
    assert {message["status"] for message in listed["messages"]} == {"sent"}


def test_a_channel_can_be_tested(project: Path, webhook_server: WebhookServer) -> None:
    well = opsctl(project, "notify", "test", "slack", hook=webhook_server.url)
    webhook_server.status = 500
    ill = opsctl(project, "notify", "test", hook=webhook_server.url)
    unknown = opsctl(project, "notify", "test", "pigeon", hook=webhook_server.url)

    assert [one.returncode for one in (well, ill, unknown)] == [0, 3, 2]
    assert "it answered 500" in ill.stdout


def test_the_webhook_is_masked_in_the_settings(
    project: Path, webhook_server: WebhookServer
) -> None:
    shown = opsctl(project, "config", "show", hook=webhook_server.url)

    assert "c4n4ry" not in shown.stdout
    assert f"http://127.0.0.1:{webhook_server.port}/***" in shown.stdout


def test_retain_requires_yes_without_input(project: Path) -> None:
    (project / "raw" / "a.log").touch()

    asked = opsctl(project, "disk", "retain", "--no-input")
    planned = opsctl(project, "disk", "retain", "-n")
    done = opsctl(project, "disk", "retain", "--yes", "--json")

    assert (asked.returncode, planned.returncode, done.returncode) == (2, 0, 0)
    assert json.loads(done.stdout)["files"] == 0


def test_a_trend_without_history_is_reported(project: Path) -> None:
    first = opsctl(project, "disk", "trend")
    opsctl(project, "disk", "check")
    second = opsctl(project, "disk", "trend")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "no history yet" in first.stdout
    assert "not enough history" in second.stdout
