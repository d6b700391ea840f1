"""Tells which values of a compose project are secret: what no output may show."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SECRET_NAME = re.compile(
    r"PASS|SECRET|TOKEN|CREDENTIAL|DSN|PRIVATE|HOOK|SALT|ENCRYPT|CONNECTION_?STR"
    r"|(?<!MON)KEY(?!BOARD|CLOAK|SPACE)"
    # As words of their own: OAUTH_ISSUER and AUTHOR are no secrets.
    r"|(?<![A-Z])(PWD?|PASSWD|CREDS?)(?![A-Z])"
    r"|(?<![A-Z])AUTH(?!OR(?!IZ)|ENTIK)",
    re.IGNORECASE,
)
# The last word says that the value only tells how or where.
HARMLESS_NAME = re.compile(
    r"_(FILE|PATH|DIR|NAME|TYPE|METHOD|MODE|ENABLED|HOST|PORT|USER|USERNAME|DOMAIN|PROVIDER"
    r"|BACKEND|REALM|ALGORITHM|ISSUER|AUDIENCE|TTL)\Z",
    re.IGNORECASE,
)
HARMLESS_VALUES = frozenset({"changed", "default", "disabled", "enabled", "required", "optional"})
# Shorter ones occur in every other word: masking them would only garble the output.
MIN_CHARACTERS = 6
RANDOM_SEGMENT = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[\w-]{16,}")
INNER_PASSWORD = re.compile(r"(?:\b|_)(?:password|pwd)=([^;&\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DeclaredSecret:
    """An entry of the section `secrets`: a file, or a variable."""

    file: str = ""
    variable: str = ""


def read_declared_secrets(raw: Mapping[str, Any] | None) -> tuple[DeclaredSecret, ...]:
    entries = ((entry or {}) for entry in (raw or {}).values())
    return tuple(
        DeclaredSecret(entry.get("file") or "", entry.get("environment") or "")
        for entry in entries
        if entry.get("file") or entry.get("environment")
    )


def secret_values(
    values: Mapping[str, str | None], *, public: Iterable[str] = ()
) -> tuple[str, ...]:
    """List what must be masked of these variables or build arguments."""
    words = {word.casefold() for word in public}
    return tuple(
        part
        for name, value in values.items()
        for part in _secret_parts(name, value or "")
        if len(part) >= MIN_CHARACTERS and part.casefold() not in words
    )


def _secret_parts(name: str, value: str) -> Iterator[str]:
    """Give the value itself if it is secret, and a password that stands inside of it."""
    url = _read_url(value)
    inner = [match[1] for match in INNER_PASSWORD.finditer(value)]
    if url is not None:
        inner += [url.password, unquote(url.password)] if url.password else []
        is_secret = bool(inner) or _is_secret_url(name, url)
    else:
        is_secret = bool(inner) or _has_secret_name(name, value)
    if is_secret:
        yield from dict.fromkeys((value, *inner))


def _has_secret_name(name: str, value: str) -> bool:
    is_harmless = HARMLESS_NAME.search(name) or value.casefold() in HARMLESS_VALUES
    return bool(SECRET_NAME.search(name)) and not is_harmless


def _is_secret_url(name: str, url: SplitResult) -> bool:
    """A URL may be secret without a password: a webhook, a DSN, a token in its query."""
    if _has_secret_name(name, ""):
        return True
    if any(SECRET_NAME.search(key) or RANDOM_SEGMENT.match(it) for key, it in parse_qsl(url.query)):
        return True
    segments = (*url.path.split("/"), url.username or "")
    return any(RANDOM_SEGMENT.fullmatch(segment) for segment in segments)


def _read_url(value: str) -> SplitResult | None:
    if "://" not in value:
        return None
    try:
        url = urlsplit(value)
    except ValueError:
        return None
    return url if url.netloc else None


def public_words(names: Iterable[str]) -> Iterator[str]:
    """List the words of names that every output shows; a password that is one cannot be hidden."""
    for name in names:
        yield name
        yield from re.split(r"[^A-Za-z0-9]+", name)
