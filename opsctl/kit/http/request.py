"""The settings of a client, the options of one request, and the request that results from both."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict
from urllib.parse import urlencode, urljoin, urlsplit

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.http.response import Response
from opsctl.kit.http.retries import AttemptResult, Retries, pause_before_retry
from opsctl.logs import logger
from opsctl.systems.clock import Clock
from opsctl.systems.http.client import HttpRequest

log = logger("opsctl.kit.http")


class RequestOptions(TypedDict, total=False):
    """What one request may set."""

    params: Mapping[str, str | int | float]
    headers: Mapping[str, str]
    json: Any
    body: bytes
    deadline_s: float
    max_body_bytes: int


_RETRIES = Retries()


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What all requests of a client have in common."""

    base_url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    attempt_s: float = 10.0
    """Longest time for one attempt, up to the last byte of the response."""
    deadline_s: float = 30.0
    """Longest time for everything: waiting for the rate limit, attempts and pauses."""
    silence_s: float = 30.0
    """Longest pause between two chunks of a stream."""
    max_body_bytes: int = 10_000_000
    retries: Retries = _RETRIES


@dataclass(slots=True)
class PendingRequest:
    """A request with its deadline and the number of attempts so far."""

    request: HttpRequest
    origin: str
    ends_at: float
    clock: Clock
    attempt: int = 0

    @property
    def left_s(self) -> float:
        return self.ends_at - self.clock.steady()

    def next_request(self, attempt_s: float) -> HttpRequest:
        self.attempt += 1
        return replace(self.request, limit_s=max(0.001, min(attempt_s, self.left_s)))

    def pause_s(
        self, outcome: Response | OpsctlError, retries: Retries, jitter: float
    ) -> float | None:
        """Decide about a retry and log the attempt: never the path or a header."""
        sent = self.request
        result = AttemptResult(sent.method, sent.headers, self.attempt, self.left_s, outcome)
        pause_s = pause_before_retry(result, retries, now=self.clock.now(), jitter=jitter)
        facts = {"origin": self.origin, "method": sent.method, "attempt": self.attempt}
        if isinstance(outcome, Response):
            facts["status"] = outcome.status
        else:
            facts |= {"error": outcome.code, "why": outcome.why}
        if pause_s is not None:
            log.warning("http request retried", extra={**facts, "pause_s": round(pause_s, 3)})
        elif isinstance(outcome, OpsctlError):
            log.warning("http request failed", extra=facts)
        else:
            log.debug("http response received", extra=facts)
        return pause_s


def prepare_request(
    method: str, url: str, options: RequestOptions, *, settings: HttpSettings, clock: Clock
) -> PendingRequest:
    """Combine the options of one request with the settings of its client."""
    url = urljoin(settings.base_url, url) if settings.base_url else url
    if params := options.get("params"):
        url += ("&" if urlsplit(url).query else "?") + urlencode(params)
    headers = {"accept-encoding": "gzip, deflate"}
    headers |= {name.lower(): value for name, value in settings.headers.items()}
    body, content_type = _encode_body(options)
    headers |= content_type
    headers |= {name.lower(): value for name, value in options.get("headers", {}).items()}
    request = HttpRequest(
        url,
        method.upper(),
        headers=headers,
        body=body,
        max_body_bytes=options.get("max_body_bytes", settings.max_body_bytes),
    )
    ends_at = clock.steady() + options.get("deadline_s", settings.deadline_s)
    return PendingRequest(request, origin_of(request), ends_at, clock)


def _encode_body(options: RequestOptions) -> tuple[bytes, Mapping[str, str]]:
    if "json" not in options:
        return options.get("body", b""), {}
    if "body" in options:
        raise UsageError(
            "cannot send json and a body in one request", hint="Pass either json= or body=."
        )
    text = json.dumps(options["json"], ensure_ascii=False, separators=(",", ":"))
    return text.encode(), {"content-type": "application/json"}


def origin_of(request: HttpRequest) -> str:
    """Return scheme://host:port and nothing that could be secret."""
    try:
        parts = urlsplit(request.url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
