"""Webhooks: a web address that takes JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opsctl.errors import OpsctlError
from opsctl.notify.model import TAKEN, Answer, Bundle, failed
from opsctl.notify.render import as_json, as_slack
from opsctl.systems.http.allowed_addresses import AllowedAddresses
from opsctl.systems.http.client import Http, HttpRequest, HttpResponse, parse_date

ANSWER_BYTES = 10_000
LONGEST_WAIT_S = 86_400.0
# Worth another try as it is: too slow, too early, too many.
TRANSIENT = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Webhook:
    """A web address that takes JSON; `write` makes the body."""

    name: str
    url: str = field(repr=False)
    http: Http
    allowed: AllowedAddresses
    write: Callable[[Bundle], bytes]

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        request = HttpRequest(
            self.url,
            method="POST",
            headers={"content-type": "application/json", "idempotency-key": bundle.id},
            body=self.write(bundle),
            limit_s=limit_s,
            max_body_bytes=ANSWER_BYTES,
            allowed=self.allowed,
        )
        try:
            return judge(self.http.send(request))
        except OpsctlError as error:
            return failed(error)


def slack(url: str, http: Http, allowed: AllowedAddresses) -> Webhook:
    return Webhook("slack", url, http, allowed, as_slack)


def webhook(url: str, http: Http, allowed: AllowedAddresses) -> Webhook:
    return Webhook("webhook", url, http, allowed, as_json)


def judge(response: HttpResponse) -> Answer:
    """2xx is taken; 4xx will not change by asking again, save where it says so."""
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 - success, as HTTP counts
        return TAKEN
    said = f"it answered {status}"
    if 300 <= status < 400:  # noqa: PLR2004 - redirects, as HTTP counts
        return Answer(is_taken=False, trouble=f"{said}: redirects are not followed")
    is_refusal = 400 <= status < 500 and status not in TRANSIENT  # noqa: PLR2004 - as HTTP counts
    return Answer(
        is_taken=False,
        trouble=said,
        retry_after_s=_retry_after(response),
        is_refusal=is_refusal,
    )


def _retry_after(response: HttpResponse) -> float | None:
    """Read seconds or a date, counted from the server's own clock."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT_S)
    until, since = parse_date(text), response.date
    if until is None or since is None:
        return None
    return min(max(0.0, (until - since).total_seconds()), LONGEST_WAIT_S)
