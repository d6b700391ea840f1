"""The kit's own errors; each says after how many seconds to try again."""

from opsctl.errors import BusyError, UnreachableError


class LimitedError(BusyError):
    """A rate limit has no room for this call in time."""

    code = "limited"

    def __init__(self, what: str, *, retry_after_s: float, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint or f"Try again in {retry_after_s:.3g} s.")
        self.retry_after_s = retry_after_s


class BreakerOpenError(UnreachableError):
    """A breaker is open: the call was not made."""

    code = "open"

    def __init__(self, what: str, *, retry_after_s: float, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint or f"Try again in {retry_after_s:.3g} s.")
        self.retry_after_s = retry_after_s
