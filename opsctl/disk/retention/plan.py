"""Decides which files may go, and whether the clock can be believed: pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import translate

NS = 1_000_000_000
HOUR_NS = 3600 * NS
# Before any log of ours: a file without a time, or of a machine without one.
UNDATED_BEFORE_NS = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * NS
ENDING = re.compile(r"\*[^*?\[\]]+\Z")
NOTHING = r"(?!)"
# No clock is right that says an earlier day than the one this was written on.
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


class Age(StrEnum):
    YOUNG = "young"
    """It never goes."""
    MIDDLE = "middle"
    """It goes when the disk is too full."""
    OLD = "old"
    FUTURE = "future"
    UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Ages:
    """Where young ends and old begins, seen from one moment."""

    now_ns: int
    least_ns: int
    most_ns: int
    slack_ns: int

    @classmethod
    def of(cls, now: datetime, *, min_age_h: float, max_age_h: float, slack_s: float) -> "Ages":
        now_ns = round(now.timestamp() * 1_000_000) * 1000
        return cls(
            now_ns, round(min_age_h * HOUR_NS), round(max_age_h * HOUR_NS), round(slack_s * NS)
        )

    @property
    def of_these_days(self) -> tuple[int, int]:
        """Between which times a file is neither old nor from the future; nearly all are."""
        return self.now_ns - self.most_ns, self.now_ns + self.slack_ns

    def judge(self, modified_ns: int) -> Age:
        """Older than the most goes; of the least exactly, it may; what has no age stays."""
        age = self.now_ns - modified_ns
        if age < -self.slack_ns:
            return Age.FUTURE
        if age < self.least_ns:
            return Age.YOUNG
        if modified_ns < UNDATED_BEFORE_NS:
            return Age.UNDATED
        return Age.OLD if age > self.most_ns else Age.MIDDLE


class Names:
    """The names that patterns fit, as bytes: a name need not be text."""

    def __init__(self, patterns: Iterable[str]) -> None:
        listed = tuple(patterns)
        # Most patterns are endings, which are looked at ten times as fast.
        self.endings = tuple(os_bytes(each[1:]) for each in listed if ENDING.match(each))
        rest = [translate(each) for each in listed if not ENDING.match(each)]
        self.pattern = os_bytes("|".join(rest) or NOTHING)
        self._fits = re.compile(self.pattern, re.DOTALL).match

    def fit(self, name: bytes) -> bool:
        return name.endswith(self.endings) or self._fits(name) is not None


def os_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the clocks: the wall's, and the boot's own count."""

    wall: datetime
    steady_s: float
    boot: str


@dataclass(frozen=True, slots=True)
class ClockRules:
    slack_s: float
    longest_pause: timedelta


def doubt(now: Moment, before: Moment | None, rules: ClockRules) -> str:
    """Say why the wall clock cannot be believed, or nothing."""
    if now.wall < WRITTEN:
        return f"the clock says {now.wall:%Y-%m-%d}, which is past"
    if before is None:
        return ""
    passed_s = (now.wall - before.wall).total_seconds()
    if now.boot == before.boot:
        jumped_s = passed_s - (now.steady_s - before.steady_s)
        if abs(jumped_s) > rules.slack_s:
            way = "ahead" if jumped_s > 0 else "back"
            return f"the clock has jumped {way} by {abs(jumped_s):.0f} s since the last run"
    elif passed_s < -rules.slack_s:
        return f"the clock says {-passed_s:.0f} s before the last run"
    elif passed_s > rules.longest_pause.total_seconds():
        return f"the clock says {passed_s / 86400:.0f} days after the last run"
    return ""


def doubt_without_past(seen: Iterable[Age]) -> str:
    """Judge by the files where no earlier run vouches for the clock: one of these days will do."""
    kinds = set()
    for age in seen:
        if age in {Age.YOUNG, Age.MIDDLE}:
            return ""
        kinds.add(age)
    if Age.FUTURE in kinds:
        return "all files are from the future or long past: the clock may be behind"
    if Age.OLD in kinds:
        return "no file is of these days: the clock may be ahead"
    return ""
