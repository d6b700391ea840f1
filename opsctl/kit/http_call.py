"""What a client sends: its own settings, and what one call adds to them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict
from urllib.parse import urlencode, urljoin, urlsplit

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.http_answer import Answer
from opsctl.kit.http_rules import Retries, Tried, pause_before_next
from opsctl.logs import logger
from opsctl.systems.clock import Clock
from opsctl.systems.http.client import HttpRequest

log = logger("opsctl.kit.http")


class Call(TypedDict, total=False):
    """What one call may add."""

    params: Mapping[str, str | int | float]
    headers: Mapping[str, str]
    json: Any
    body: bytes
    deadline_s: float
    max_body_bytes: int


_RETRIES = Retries()


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What every call of a client has in common."""

    base_url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    attempt_s: float = 10.0
    """Longest time for one attempt, the last byte included."""
    deadline_s: float = 30.0
    """Longest time for all of it: waiting for the limit, attempts and pauses."""
    silence_s: float = 30.0
    """Longest silence within a stream."""
    max_body_bytes: int = 10_000_000
    retries: Retries = _RETRIES


@dataclass(slots=True)
class Order:
    """One call on its way: what is sent, how often it was, and until when."""

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
        self, outcome: Answer | OpsctlError, retries: Retries, spread: float
    ) -> float | None:
        """Judge one attempt, and log it: where to and how, never the path or a header."""
        tried = Tried(self.request.method, self.request.headers, self.attempt, self.left_s, outcome)
        pause_s = pause_before_next(tried, retries, now=self.clock.now(), spread=spread)
        facts = {"origin": self.origin, "method": tried.method, "attempt": tried.attempt}
        if isinstance(outcome, Answer):
            facts["status"] = outcome.status
        else:
            facts |= {"error": outcome.code, "why": outcome.why}
        if pause_s is not None:
            log.warning("http tried again", extra={**facts, "pause_s": round(pause_s, 3)})
        elif isinstance(outcome, OpsctlError):
            log.warning("http failed", extra=facts)
        else:
            log.debug("http answered", extra=facts)
        return pause_s


def order(method: str, url: str, call: Call, *, settings: HttpSettings, clock: Clock) -> Order:
    """Lay a call over the client's settings."""
    url = urljoin(settings.base_url, url) if settings.base_url else url
    if params := call.get("params"):
        url += ("&" if urlsplit(url).query else "?") + urlencode(params)
    headers = {"accept-encoding": "gzip, deflate"}
    headers |= {name.lower(): value for name, value in settings.headers.items()}
    body, kind = _body(call)
    headers |= kind
    headers |= {name.lower(): value for name, value in call.get("headers", {}).items()}
    request = HttpRequest(
        url,
        method.upper(),
        headers=headers,
        body=body,
        max_body_bytes=call.get("max_body_bytes", settings.max_body_bytes),
    )
    ends_at = clock.steady() + call.get("deadline_s", settings.deadline_s)
    return Order(request, origin_of(request), ends_at, clock)


def _body(call: Call) -> tuple[bytes, Mapping[str, str]]:
    if "json" not in call:
        return call.get("body", b""), {}
    if "body" in call:
        raise UsageError("a call has json or a body, not both")
    text = json.dumps(call["json"], ensure_ascii=False, separators=(",", ":"))
    return text.encode(), {"content-type": "application/json"}


def origin_of(request: HttpRequest) -> str:
    """Say scheme://host:port and nothing that could be secret."""
    try:
        parts = urlsplit(request.url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
