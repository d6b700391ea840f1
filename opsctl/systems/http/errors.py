"""Translate the errors of the HTTP driver into ours."""

import ssl

import httpx2

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.error_table import ErrorMeaning, meaning_of
from opsctl.systems.network.sockets import reason


class UnsentError(UnreachableError):
    """No connection was made, so nothing was sent: safe to try again whatever it was."""

    code = "unsent"


_BUG = ErrorMeaning(OpsctlError, "the HTTP driver was misused for {address}", "Report this.")
_DEAD = ErrorMeaning(
    UnreachableError, "no answer from {address}", "Is it running, and is this its address?"
)
_UNSENT = ErrorMeaning(UnsentError, _DEAD.what, _DEAD.hint)
_NOT_HTTP = ErrorMeaning(
    UnreachableError, "what answers at {address} is not HTTP", "Check host, port and scheme."
)
_NOT_SENT = ErrorMeaning(OpsctlError, "cannot send a request to {address}", "Check its headers.")
_TLS = ErrorMeaning(
    UnreachableError,
    "the certificate of {address} is not trusted",
    "Add the authority that signed it, or check the host's name and the clock.",
)
_ADDRESS = ErrorMeaning(SettingsError, "cannot use a web address", "Write https://host/path.")

# Found by the nearest ancestor.
BY_CLASS: dict[type[Exception], ErrorMeaning] = {
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


def translate(error: Exception, origin: str) -> OpsctlError:
    meaning = meaning_of(type(error), BY_CLASS) or _BUG
    if distrust := _distrust(error):
        return _TLS.to_error(why=distrust, address=origin)
    why = "a header holds what HTTP does not allow" if tells_what_was_sent(error) else reason(error)
    return meaning.to_error(why=why, address=origin)


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
