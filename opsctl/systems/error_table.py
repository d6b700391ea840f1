"""The type of every table that translates a driver's errors into ours."""

from collections.abc import Mapping

from opsctl.errors import OpsctlError
from opsctl.value import Value


class ErrorMeaning(Value):
    """The error that we raise for a driver's error, and its text; `what` may contain {address}."""

    error: type[OpsctlError] = OpsctlError
    what: str = ""
    hint: str = ""
    why: str = ""

    def to_error(self, *, why: str, address: str = "") -> OpsctlError:
        return self.error(self.what.format(address=address), why=why, hint=self.hint)


def meaning_of(
    kind: type[Exception], table: Mapping[type[Exception], ErrorMeaning]
) -> ErrorMeaning | None:
    """Find the row of the nearest ancestor; None if the driver's error has none."""
    return next((table[parent] for parent in kind.__mro__ if parent in table), None)
