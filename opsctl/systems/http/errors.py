"""What the HTTP driver can say went wrong, each as one of our errors."""

import ssl
from dataclasses import dataclass

import httpx2

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
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
    httpx2.TransportError: _DEAD,
    httpx2.ConnectError: _UNSENT,
    httpx2.ConnectTimeout: _UNSENT,
    httpx2.PoolTimeout: _UNSENT,
    httpx2.ProtocolError: _NOT_HTTP,
    httpx2.LocalProtocolError: _NOT_SENT,
    httpx2.UnsupportedProtocol: _ADDRESS,
    httpx2.InvalidURL: _ADDRESS,
    httpx2.DecodingError: _NOT_HTTP,
    httpx2.TooManyRedirects: _BUG,
    httpx2.HTTPStatusError: _BUG,
    httpx2.RequestError: _BUG,
    httpx2.HTTPError: _BUG,
    httpx2.CookieConflict: _BUG,
    httpx2.StreamError: _BUG,
}
DRIVER_ERRORS = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.CookieConflict, httpx2.StreamError)


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
    return isinstance(error, (httpx2.LocalProtocolError, httpx2.InvalidURL))


def _distrust(error: Exception) -> str:
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return found.verify_message
        found = found.__cause__ or found.__context__
    return ""
