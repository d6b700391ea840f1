"""`Response`: what an HTTP server answered."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from opsctl.errors import OpsctlError

_CHARSET = re.compile(r"charset=\"?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_FIRST_ERROR = 400


class ResponseError(OpsctlError):
    """A response is not what was needed; `status` is its HTTP status."""

    code = "response"

    def __init__(self, what: str, *, status: int, why: str = "") -> None:
        super().__init__(what, why=why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    origin: str = ""
    """scheme://host:port of the server; never the path."""

    @property
    def ok(self) -> bool:
        return self.status < _FIRST_ERROR

    @property
    def text(self) -> str:
        charset = _CHARSET.search(self.headers.get("content-type", ""))
        try:
            return self.body.decode(charset[1] if charset else "utf-8", errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ResponseError(
                f"cannot parse the response of {self.origin}",
                status=self.status,
                why=f"it is not JSON ({type(error).__name__})",
            ) from None

    def required(self) -> "Response":
        """Raise ResponseError on a status of 400 or above."""
        if not self.ok:
            raise ResponseError(
                f"cannot use the response of {self.origin}",
                status=self.status,
                why=f"the status is {self.status}",
            )
        return self

    def date_header(self, name: str) -> datetime | None:
        try:
            date = parsedate_to_datetime(self.headers.get(name, ""))
        except ValueError:
            return None
        return date.replace(tzinfo=date.tzinfo or UTC)
