"""What an HTTP server answered."""

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


class AnswerError(OpsctlError):
    """An answer is not what was needed; `status` says what it was."""

    code = "answer"

    def __init__(self, what: str, *, status: int, why: str = "") -> None:
        super().__init__(what, why=why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    origin: str = ""
    """scheme://host:port of who answered; never the path."""

    @property
    def ok(self) -> bool:
        return self.status < _FIRST_ERROR

    @property
    def text(self) -> str:
        found = _CHARSET.search(self.headers.get("content-type", ""))
        try:
            return self.body.decode(found[1] if found else "utf-8", errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")

    def json(self) -> Any:  # noqa: ANN401 - whatever JSON can say
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise AnswerError(
                f"{self.origin} answered no JSON", status=self.status, why=type(error).__name__
            ) from None

    def required(self) -> "Answer":
        """Raise AnswerError unless it went well."""
        if not self.ok:
            raise AnswerError(f"{self.origin} answered {self.status}", status=self.status)
        return self

    def moment(self, header: str) -> datetime | None:
        try:
            said = parsedate_to_datetime(self.headers.get(header, ""))
        except ValueError:
            return None
        return said.replace(tzinfo=said.tzinfo or UTC)
