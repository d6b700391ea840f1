"""Webhooks on a real server: taken, refused, put off, redirected, mute, and out of allowed."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from opsctl.notify.channels.slack import slack
from opsctl.notify.channels.webhook import webhook
from opsctl.notify.model import AlertEvent, AlertMessage, Bundle, SendResult, Severity
from opsctl.systems.clock import SystemClock
from opsctl.systems.http.allowed_addresses import AllowedAddresses
from opsctl.systems.http.client import HttpxHttp
from tests.engines.webhook import WebhookServer

LOCAL = AllowedAddresses.of(["127.0.0.1"], plain_http=True)
MESSAGE = AlertMessage(
    key="disk:/:space",
    topic="disk",
    severity=Severity.WARNING,
    event=AlertEvent.RAISED,
    summary="<!channel> & 81 % used",
    at=datetime(2026, 3, 10, 3, tzinfo=UTC),
    where="stack prod box",
)
BUNDLE = Bundle("0123abcd", (MESSAGE,))


def send(
    webhook_server: WebhookServer, *, allowed: AllowedAddresses = LOCAL, limit_s: float = 25
) -> SendResult:
    return webhook(webhook_server.url, HttpxHttp(clock=SystemClock()), allowed).send(
        BUNDLE, limit_s=limit_s
    )


def test_a_webhook_gets_json_with_an_id_that_a_retry_repeats(webhook_server: WebhookServer) -> None:
    answers = [send(webhook_server), send(webhook_server)]

    body = json.loads(webhook_server.bodies[0])
    assert all(answer.is_accepted for answer in answers)
    assert (body["schema"], body["id"]) == ("opsctl.notice/1", "0123abcd")
    assert body["notices"][0]["summary"] == MESSAGE.summary
    assert webhook_server.ids == ["0123abcd", "0123abcd"]


def test_a_mention_in_a_message_notifies_nobody_on_slack(webhook_server: WebhookServer) -> None:
    channel = slack(webhook_server.url, HttpxHttp(clock=SystemClock()), LOCAL)

    channel.send(BUNDLE, limit_s=25)

    text = json.loads(webhook_server.bodies[0])["text"]
    assert "&lt;!channel&gt; &amp; 81 % used" in text


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (503, {}, (False, None)),
        (429, {"retry-after": "120"}, (False, 120.0)),
        (503, {"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}, (False, 86400.0)),
        (503, {"retry-after": "soon"}, (False, None)),
        (404, {}, (True, None)),
        (302, {"location": "http://169.254.169.254/"}, (False, None)),
    ],
)
def test_the_status_decides_about_a_retry(
    webhook_server: WebhookServer,
    status: int,
    headers: dict[str, str],
    expected: tuple[bool, float | None],
) -> None:
    webhook_server.status, webhook_server.headers = status, headers

    answer = send(webhook_server)

    assert not answer.is_accepted
    assert (answer.is_rejected, answer.retry_after_s) == expected
    assert f"it answered {status}" in answer.error


def test_a_server_that_never_answers_blocks_nobody_and_its_path_stays_secret(
    webhook_server: WebhookServer,
) -> None:
    webhook_server.is_mute = True
    began = time.monotonic()

    answer = send(webhook_server, limit_s=0.3)

    assert time.monotonic() - began < 25
    assert not answer.is_accepted
    assert "c4n4ry" not in answer.error


def test_a_private_address_is_never_contacted(webhook_server: WebhookServer) -> None:
    answer = send(webhook_server, allowed=AllowedAddresses.of([], plain_http=True))

    assert "127.0.0.1 is not a public address" in answer.error
    assert webhook_server.bodies == []


def test_a_name_that_changes_after_the_check_leads_nowhere_else(
    webhook_server: WebhookServer,
) -> None:
    """The address that was judged is the one that is dialled: the name is asked once."""
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    http = HttpxHttp(clock=SystemClock(), lookup=rebinding)
    url = webhook_server.url.replace("127.0.0.1", "hooks.example.org")

    taken = webhook(url, http, LOCAL).send(BUNDLE, limit_s=25)
    inside = webhook(url, http, AllowedAddresses.of([], plain_http=True)).send(BUNDLE, limit_s=25)

    assert taken.is_accepted
    assert asked == ["hooks.example.org"] * 2
    assert "127.0.0.2 is not a public address" in inside.error
