"""What the HTTP driver can say went wrong, each as one of our errors."""

import ssl
from dataclasses import dataclass

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.http.lean_httpx import httpx
from opsctl.systems.network.sockets import reason


@dataclass(frozen=True, slots=True)
class Meaning:
    error: type[OpsctlError]
    what: str
    hint: str = ""


class UnsentError(UnreachableError):
    """No connection was made, so nothing was sent: safe to try again whatever it was."""

    code = "unsent"


_BUG = Meaning(OpsctlError, "the HTTP driver was misused for {origin}", "Report this.")
_DEAD = Meaning(UnreachableError, "no answer from {origin}", "Is it up, and is this its address?")
_UNSENT = Meaning(UnsentError, _DEAD.what, _DEAD.hint)
_NOT_HTTP = Meaning(
    UnreachableError, "what answers at {origin} is not HTTP", "Check host, port and scheme."
)
_NOT_SENT = Meaning(OpsctlError, "a request to {origin} cannot be sent", "Check its headers.")
_TLS = Meaning(
    UnreachableError,
    "the certificate of {origin} is not trusted",
    "Add the authority that signed it, or check the host's name and the clock.",
)
_ADDRESS = Meaning(SettingsError, "a web address cannot be used", "Write https://host/path.")

# Found by the nearest ancestor.
BY_CLASS: dict[type[BaseException], Meaning] = {
    httpx.TransportError: _DEAD,
    httpx.ConnectError: _UNSENT,
    httpx.ConnectTimeout: _UNSENT,
    httpx.PoolTimeout: _UNSENT,
    httpx.ProtocolError: _NOT_HTTP,
    httpx.LocalProtocolError: _NOT_SENT,
    httpx.UnsupportedProtocol: _ADDRESS,
    httpx.InvalidURL: _ADDRESS,
    httpx.DecodingError: _NOT_HTTP,
    httpx.TooManyRedirects: _BUG,
    httpx.HTTPStatusError: _BUG,
    httpx.RequestError: _BUG,
    httpx.HTTPError: _BUG,
    httpx.CookieConflict: _BUG,
    httpx.StreamError: _BUG,
}
DRIVER_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)


def meaning_of(kind: type[BaseException]) -> Meaning | None:
    return next((BY_CLASS[parent] for parent in kind.__mro__ if parent in BY_CLASS), None)


def translate(error: Exception, origin: str) -> OpsctlError:
    meaning = meaning_of(type(error)) or _BUG
    if distrust := _distrust(error):
        return _TLS.error(_TLS.what.format(origin=origin), why=distrust, hint=_TLS.hint)
    why = "a header holds what HTTP does not allow" if tells_what_was_sent(error) else reason(error)
    return meaning.error(meaning.what.format(origin=origin), why=why, hint=meaning.hint)


def tells_what_was_sent(error: Exception) -> bool:
    """Say whether the driver's own words quote the request, and so perhaps a secret."""
    return isinstance(error, (httpx.LocalProtocolError, httpx.InvalidURL))


def _distrust(error: Exception) -> str:
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return found.verify_message
        found = found.__cause__ or found.__context__
    return ""
