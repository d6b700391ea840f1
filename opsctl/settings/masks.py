"""Shows a secret without telling it."""

from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section

MASK = "***"
WEB = frozenset({"http", "https"})


def mask_value(value: Any) -> Any:
    """Turn a setting into what may be printed: a URL keeps its host, nothing else is told."""
    if isinstance(value, Section):
        return {name: mask_value(inner) for name, inner in value.values()}
    if isinstance(value, tuple):
        return [mask_value(inner) for inner in value]
    if not isinstance(value, Secret):
        return value
    secret = value.get_secret_value()
    return _masked_url(secret) if "://" in secret else MASK if secret else ""


def list_secret_parts(secret: str) -> tuple[str, ...]:
    """List every string inside a secret that must never be printed."""
    parts = _split(secret) if "://" in secret else None
    password = parts.password if parts else None
    inner: tuple[str, ...] = (password, unquote(password)) if password else ()
    if parts and parts.scheme in WEB and len(parts.path) > 1:
        inner += (parts.path,)
    return tuple(dict.fromkeys(text for text in (secret, *inner) if text))


def _masked_url(secret: str) -> str:
    parts = _split(secret)
    if parts is None or not parts.hostname:
        return MASK
    user, given, place = parts.netloc.rpartition("@")
    name, secret_given, _ = user.partition(":")
    if parts.scheme in WEB:
        # The path of a webhook is its password.
        return f"{parts.scheme}://{place}" + (f"/{MASK}" if parts.path.strip("/") else "")
    login = (f"{name}:{MASK}@" if secret_given else f"{name}@") if given else ""
    # The query of a database URL may carry a password as well.
    return f"{parts.scheme}://{login}{place}{parts.path}" + (f"?{MASK}" if parts.query else "")


def _split(secret: str) -> SplitResult | None:
    try:
        parts = urlsplit(secret)
        _ = parts.port
    except ValueError:
        return None
    return parts
