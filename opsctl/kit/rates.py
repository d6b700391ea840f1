"""Rates: how many calls in how long, under which name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsctl.errors import SettingsError

if TYPE_CHECKING:
    from opsctl.settings.sections.limits import LimitsSettings

LARGEST_LOG = 10_000
"""A log holds one entry a call; a larger limit is kept in windows that are shorter."""

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
    """Whose calls are counted; empty counts everybody's together."""

    def __post_init__(self) -> None:
        if _NAME.match(self.name) is None or self.limit < 1 or not self.window_s > 0:
            raise SettingsError(
                f"{self.name!r} is no rate",
                why="a name of a-z 0-9 _ . -, a limit of at least 1 and a window are needed",
            )

    @classmethod
    def parse(cls, name: str, text: str) -> "Rate":
        """Read 5/s, 100/m or 3/500ms."""
        found = _RATE.match(text)
        if found is None:
            raise SettingsError(f"{text!r} is no rate", hint="Write 5/s, 100/m or 3/500ms.")
        window_s = float(found["number"] or 1) * _UNITS[found["unit"]]
        return cls(name, int(found["limit"]), window_s)

    def of(self, subject: str) -> "Rate":
        """Count this subject's calls apart: a user, an address, a key."""
        return replace(self, subject=subject)

    def __str__(self) -> str:
        return f"{self.name} {self.limit}/{self.window_s:g}s"


KIS = Rate("kis", 5, 1.0)
KIS_REST = Rate("kis_rest", 20, 1.0)
KIWOOM = Rate("kiwoom", 5, 1.0)
DART = Rate("dart", 100, 60.0)
NAVER = Rate("naver", 10, 1.0)
PRESETS: Mapping[str, Rate] = {rate.name: rate for rate in (KIS, KIS_REST, KIWOOM, DART, NAVER)}


def rates_of(limits: "LimitsSettings") -> Mapping[str, Rate]:
    """Read the settings' rates, the presets and your own."""
    said = {name: str(getattr(limits, name)) for name in PRESETS}
    said |= dict(each.split("=", 1) for each in limits.more)
    return {name: Rate.parse(name, text) for name, text in said.items()}


def as_kept(rate: Rate) -> Rate:
    """Cut a window whose log would be too long: never more calls, only smaller bursts."""
    if rate.limit <= LARGEST_LOG:
        return rate
    parts = -(-rate.limit // LARGEST_LOG)
    return replace(rate, limit=rate.limit // parts, window_s=rate.window_s / parts)


def share_of(rate: Rate, processes: int) -> Rate:
    """Cut a limit into equal parts; where they would be less than one call, longer windows."""
    if rate.limit >= processes:
        return replace(rate, limit=rate.limit // processes)
    return replace(rate, limit=1, window_s=rate.window_s * processes / rate.limit)
