"""Mask the secrets in a line of the log."""

import re
from collections.abc import Iterable

MASK = "***"

# Compiled when something is logged: most runs log nothing.
_LOGIN = r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@]+@"
_PAIR = (
    r"(?P<name>(?:password|passwd|pgpassword|secret|token|api[_-]?key|authorization)"
    r"""["']?\s*[=:]\s*["']?)(?:bearer\s+|basic\s+)?[^\s"',;&]+"""
)


class Redactor:
    """Masks the secrets in the settings, and everything that looks like a secret."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: a secret may contain another one.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = re.sub(_LOGIN, rf"\g<scheme>{MASK}@", text, flags=re.IGNORECASE)
        return re.sub(_PAIR, rf"\g<name>{MASK}", text, flags=re.IGNORECASE)
