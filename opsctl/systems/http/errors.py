"""The errors of the HTTP driver, each as one of ours."""

import ssl

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.error_table import ErrorMeaning, meaning_of
from opsctl.systems.http.lean_httpx import httpx
from opsctl.systems.network.sockets import reason


class UnsentError(UnreachableError):
    """No connection was made, so nothing was sent: safe to try again whatever it was."""

    code = "unsent"


_BUG = ErrorMeaning(OpsctlError, "the HTTP driver was misused for {address}", "Report this.")
_DEAD = ErrorMeaning(
    UnreachableError, "no answer from {address}", "Is it up, and is this its address?"
)
_UNSENT = ErrorMeaning(UnsentError, _DEAD.what, _DEAD.hint)
_NOT_HTTP = ErrorMeaning(
    UnreachableError, "what answers at {address} is not HTTP", "Check host, port and scheme."
)
_NOT_SENT = ErrorMeaning(OpsctlError, "a request to {address} cannot be sent", "Check its headers.")
_TLS = ErrorMeaning(
    UnreachableError,
    "the certificate of {address} is not trusted",
    "Add the authority that signed it, or check the host's name and the clock.",
)
_ADDRESS = ErrorMeaning(SettingsError, "a web address cannot be used", "Write https://host/path.")

BY_CLASS: dict[type[Exception], ErrorMeaning] = {
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


def translate(error: Exception, origin: str) -> OpsctlError:
    meaning = meaning_of(type(error), BY_CLASS) or _BUG
    if distrust := _distrust(error):
        return _TLS.to_error(why=distrust, address=origin)
    why = "a header holds what HTTP does not allow" if tells_what_was_sent(error) else reason(error)
    return meaning.to_error(why=why, address=origin)


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
