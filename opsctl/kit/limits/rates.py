"""`Rate`: a named limit of calls per time window, and the presets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsctl.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from opsctl.settings.sections.limits import LimitsSettings

LARGEST_LOG = 10_000
"""A log has one entry per call; larger limits are split into shorter windows."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_RATE = re.compile(r"(?P<limit>[1-9]\d*)/(?P<number>\d+(\.\d+)?)?(?P<unit>ms|s|m|h)\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` calls in any `window_s` seconds."""

    name: str
    limit: int
    window_s: float
    subject: str = ""
    """Whose calls are counted; empty counts all calls together."""

    def __post_init__(self) -> None:
        if _NAME.match(self.name) is None or self.limit < 1 or not self.window_s > 0:
            raise SettingsError(
                f"cannot use the rate {self.name!r}",
                why="it needs a name of a-z 0-9 _ . -, a limit of at least 1 and a window",
            )

    @classmethod
    def parse(cls, name: str, text: str) -> "Rate":
        """Read 5/s, 100/m or 3/500ms."""
        match = _RATE.match(text)
        if match is None:
            raise SettingsError(
                f"cannot parse the rate {text!r}", hint="Write 5/s, 100/m or 3/500ms."
            )
        window_s = float(match["number"] or 1) * _UNITS[match["unit"]]
        return cls(name, int(match["limit"]), window_s)

    def of(self, subject: str) -> "Rate":
        """Count the calls of one subject separately: a user, an address, a key."""
        return replace(self, subject=subject)

    def __str__(self) -> str:
        return f"{self.name} {self.limit}/{self.window_s:g}s"


KIS = Rate("kis", 5, 1.0)
KIS_REST = Rate("kis_rest", 20, 1.0)
KIWOOM = Rate("kiwoom", 5, 1.0)
DART = Rate("dart", 100, 60.0)
NAVER = Rate("naver", 10, 1.0)
PRESETS: Mapping[str, Rate] = {rate.name: rate for rate in (KIS, KIS_REST, KIWOOM, DART, NAVER)}


def load_rates(limits: "LimitsSettings") -> Mapping[str, Rate]:
    """Read the rates of the settings: the presets, and those of the project."""
    texts = {name: str(getattr(limits, name)) for name in PRESETS}
    texts |= dict(pair.split("=", 1) for pair in limits.custom)
    return {name: Rate.parse(name, text) for name, text in texts.items()}


def find_rate(rate: Rate | str, rates: Mapping[str, Rate]) -> Rate:
    """Find a rate by its name."""
    if isinstance(rate, Rate):
        return rate
    if rate not in rates:
        raise UsageError(
            f"cannot find the rate {rate!r}",
            hint=f"Use one of {', '.join(rates)}; see limits.custom.",
        )
    return rates[rate]


def split_window(rate: Rate) -> Rate:
    """Split a window whose log would be too long: never more calls, only smaller bursts."""
    if rate.limit <= LARGEST_LOG:
        return rate
    parts = -(-rate.limit // LARGEST_LOG)
    return replace(rate, limit=rate.limit // parts, window_s=rate.window_s / parts)


def process_share(rate: Rate, processes: int) -> Rate:
    """Divide a limit into equal parts; below one call per window, lengthen the window instead."""
    if rate.limit >= processes:
        return replace(rate, limit=rate.limit // processes)
    return replace(rate, limit=1, window_s=rate.window_s * processes / rate.limit)
