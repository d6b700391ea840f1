"""The output of a program: bounded in memory, line by line, with secrets masked."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

MASK = "***"
# A shorter line of a secret, such as a brace of JSON, is found in most other texts.
MIN_LINE_CHARACTERS = 6
LINE_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    is_error: bool = False


def redact(text: str, secrets: Iterable[str]) -> str:
    """Mask each secret, also as written in a URL or in JSON, and line by line."""
    for form in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms(secrets: Iterable[str]) -> set[str]:
    forms: set[str] = set()
    for secret in secrets:
        forms |= {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
        lines = (line.strip() for line in secret.splitlines())
        forms |= {line for line in lines if len(line) >= MIN_LINE_CHARACTERS}
    return forms - {""}


class Sink(Protocol):
    is_cut: bool

    @property
    def kept(self) -> bytes: ...

    def take(self, data: bytes) -> None: ...


class Head:
    """Keeps the first bytes: output that is parsed must be whole, or be known to be cut."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self.is_cut = False

    @property
    def kept(self) -> bytes:
        return bytes(self._data)

    def take(self, data: bytes) -> None:
        room = self._limit - len(self._data)
        self._data += data[:room]
        self.is_cut |= len(data) > room


class Tail:
    """Keeps the last bytes: the reason of a failure is at the end."""

    is_cut = False

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()

    @property
    def kept(self) -> bytes:
        return bytes(self._data[-self._limit :])

    def take(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * self._limit:
            del self._data[: -self._limit]


class Lines(Tail):
    """Hands on each line as it is whole, and keeps the last of them."""

    def __init__(self, secrets: tuple[str, ...], on_line: Callable[[str], None]) -> None:
        super().__init__(LINE_LIMIT_BYTES)
        self._secrets = secrets
        self._longest = max((len(form.encode()) for form in _forms(secrets)), default=0)
        self._on_line = on_line
        self._begun = bytearray()

    def take(self, data: bytes) -> None:
        super().take(data)
        *whole, rest = data.split(b"\n")
        for part in whole:
            self._begin(part)
            self._hand_on()
        self._begin(rest)

    def end(self) -> None:
        """Pass on what came after the last line break."""
        if self._begun:
            self._hand_on()

    def _begin(self, part: bytes) -> None:
        self._begun += part[: self._limit + self._longest - len(self._begun)]

    def _hand_on(self) -> None:
        is_full = len(self._begun) == self._limit + self._longest
        text = redact(self._begun.decode(errors="replace").rstrip("\r"), self._secrets)
        self._begun.clear()
        # The end of an overlong line may hold the first half of a secret.
        self._on_line(text[: len(text) - self._longest] if is_full else text)
