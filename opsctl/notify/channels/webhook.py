"""Webhooks: a URL that accepts JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opsctl.errors import OpsctlError
from opsctl.notify.message_formats import format_json
from opsctl.notify.model import ACCEPTED, Bundle, SendResult, failed_result
from opsctl.systems.http.allowed_addresses import AllowedAddresses
from opsctl.systems.http.client import Http, HttpRequest, HttpResponse, parse_date

MAX_RESPONSE_BYTES = 10_000
MAX_RETRY_AFTER_S = 86_400.0
# Worth a retry: too slow, too early, too many.
RETRYABLE_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that accepts JSON; `write` makes the body."""

    name: str
    url: str = field(repr=False)
    http: Http
    allowed: AllowedAddresses
    write: Callable[[Bundle], bytes]

    def send(self, bundle: Bundle, *, limit_s: float) -> SendResult:
        request = HttpRequest(
            self.url,
            method="POST",
            headers={"content-type": "application/json", "idempotency-key": bundle.id},
            body=self.write(bundle),
            limit_s=limit_s,
            max_body_bytes=MAX_RESPONSE_BYTES,
            allowed=self.allowed,
        )
        try:
            return judge_response(self.http.send(request))
        except OpsctlError as error:
            return failed_result(error)


def webhook(url: str, http: Http, allowed: AllowedAddresses) -> Webhook:
    return Webhook("webhook", url, http, allowed, format_json)


def judge_response(response: HttpResponse) -> SendResult:
    """Accept 2xx; reject 4xx for good, except those that ask for a retry."""
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 - success, as HTTP counts
        return ACCEPTED
    text = f"it answered {status}"
    if 300 <= status < 400:  # noqa: PLR2004 - redirects, as HTTP counts
        return SendResult(is_accepted=False, error=f"{text}: redirects are not followed")
    is_rejected = 400 <= status < 500 and status not in RETRYABLE_STATUSES  # noqa: PLR2004 - as HTTP counts
    return SendResult(
        is_accepted=False,
        error=text,
        retry_after_s=_retry_after(response),
        is_rejected=is_rejected,
    )


def _retry_after(response: HttpResponse) -> float | None:
    """Read seconds or a date, counted from the server's own clock."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER_S)
    until, since = parse_date(text), response.date
    if until is None or since is None:
        return None
    return min(max(0.0, (until - since).total_seconds()), MAX_RETRY_AFTER_S)
