"""Decides which files can be deleted, and whether the clock can be trusted: pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import translate

NS = 1_000_000_000
HOUR_NS = 3600 * NS
# Earlier than any log of ours: a file without a time, or from a machine without one.
UNDATED_BEFORE_NS = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * NS
PLAIN_SUFFIX = re.compile(r"\*[^*?\[\]]+\Z")
MATCHES_NOTHING = r"(?!)"
# An earlier time than that of this code is wrong.
EARLIEST_CREDIBLE_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class AgeClass(StrEnum):
    YOUNG = "young"
    """Never deleted."""
    MIDDLE = "middle"
    """Deleted when the disk is too full."""
    OLD = "old"
    FUTURE = "future"
    UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class AgeLimits:
    """Where young ends and old begins, as seen from one time."""

    now_ns: int
    min_age_ns: int
    max_age_ns: int
    tolerance_ns: int

    @classmethod
    def of(
        cls, now: datetime, *, min_age_h: float, max_age_h: float, tolerance_s: float
    ) -> "AgeLimits":
        now_ns = round(now.timestamp() * 1_000_000) * 1000
        return cls(
            now_ns, round(min_age_h * HOUR_NS), round(max_age_h * HOUR_NS), round(tolerance_s * NS)
        )

    @property
    def unremarkable_times(self) -> tuple[int, int]:
        """Times between which a file is neither old nor from the future."""
        return self.now_ns - self.max_age_ns, self.now_ns + self.tolerance_ns

    def classify(self, modified_ns: int) -> AgeClass:
        """Older than the maximum is old; at exactly the minimum it is no longer young."""
        age = self.now_ns - modified_ns
        if age < -self.tolerance_ns:
            return AgeClass.FUTURE
        if age < self.min_age_ns:
            return AgeClass.YOUNG
        if modified_ns < UNDATED_BEFORE_NS:
            return AgeClass.UNDATED
        return AgeClass.OLD if age > self.max_age_ns else AgeClass.MIDDLE


class NamePatterns:
    """File name patterns, matched as bytes: a name need not be text."""

    def __init__(self, patterns: Iterable[str]) -> None:
        listed = tuple(patterns)
        # Most patterns are suffixes, which match ten times as fast.
        self.endings = tuple(encode_path(each[1:]) for each in listed if PLAIN_SUFFIX.match(each))
        rest = [translate(each) for each in listed if not PLAIN_SUFFIX.match(each)]
        self.pattern = encode_path("|".join(rest) or MATCHES_NOTHING)
        self._match = re.compile(self.pattern, re.DOTALL).match

    def matches(self, name: bytes) -> bool:
        return name.endswith(self.endings) or self._match(name) is not None


def encode_path(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One reading of the wall clock and the boot clock."""

    wall: datetime
    steady_s: float
    boot: str


@dataclass(frozen=True, slots=True)
class ClockLimits:
    tolerance_s: float
    max_pause: timedelta


def find_clock_problem(now: ClockReading, before: ClockReading | None, rules: ClockLimits) -> str:
    """Return why the wall clock cannot be trusted, or an empty text."""
    if now.wall < EARLIEST_CREDIBLE_NOW:
        return f"the clock says {now.wall:%Y-%m-%d}, which is in the past"
    if before is None:
        return ""
    passed_s = (now.wall - before.wall).total_seconds()
    if now.boot == before.boot:
        jumped_s = passed_s - (now.steady_s - before.steady_s)
        if abs(jumped_s) > rules.tolerance_s:
            way = "ahead" if jumped_s > 0 else "back"
            return f"the clock has jumped {way} by {abs(jumped_s):.0f} s since the last run"
    elif passed_s < -rules.tolerance_s:
        return f"the clock says {-passed_s:.0f} s before the last run"
    elif passed_s > rules.max_pause.total_seconds():
        return f"the clock says {passed_s / 86400:.0f} days after the last run"
    return ""


def find_clock_problem_in_ages(seen: Iterable[AgeClass]) -> str:
    """Judge by the files if there was no earlier run: one recent file confirms the clock."""
    kinds = set()
    for age in seen:
        if age in {AgeClass.YOUNG, AgeClass.MIDDLE}:
            return ""
        kinds.add(age)
    if AgeClass.FUTURE in kinds:
        return "all files are from the future or long past: the clock may be behind"
    if AgeClass.OLD in kinds:
        return "no file is recent: the clock may be ahead"
    return ""
