"""Reads the directives of a file: comments at its top that begin with `-- opsctl:`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from opsctl.migrate.model import TimeLimits
from opsctl.migrate.parse.excerpt import refusal_at
from opsctl.value import Value

_LINE = re.compile(r"[ \t]*--[ \t]*opsctl:[ \t]*(?P<what>[^\n\r]*)", re.IGNORECASE)
_HEAD = re.compile(r"(?:[ \t]*(?:--[^\n]*)?\r?\n|[ \t]*--[^\n]*\Z)*")
_SETTING = re.compile(r"(?P<name>lock_timeout|statement_timeout)\s*=\s*(?P<value>.+)\Z")
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min|m|h)?\Z")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
_HINT = "Use no-transaction, lock_timeout=5s or statement_timeout=10min; 0 means no limit."


class Directives(Value):
    non_transactional: bool = False
    """Run without a transaction."""
    limits: Mapping[str, float] = MappingProxyType({})

    def over(self, limits: TimeLimits) -> TimeLimits:
        found = {f"{name.removesuffix('_timeout')}_s": s for name, s in self.limits.items()}
        return limits.replaced(**found)


def read_directives(text: str, file: str) -> Directives:
    """Read the comments above the first statement; an unknown directive is refused."""
    head = _HEAD.match(text)
    non_transactional, limits = False, {}
    for match in _LINE.finditer(text, 0, head.end() if head else 0):
        what = match["what"].strip().casefold()
        setting = _SETTING.match(what)
        if setting:
            limits[setting["name"]] = _seconds(setting["value"], text, file, match.start("what"))
        elif what == "no-transaction":
            non_transactional = True
        else:
            why = f"unknown directive {what!r}"
            raise refusal_at(text, file, match.start("what"), why=why, hint=_HINT)
    return Directives(non_transactional, limits)


def _seconds(value: str, text: str, file: str, offset: int) -> float:
    found = _DURATION.match(value)
    if found is None or (found["unit"] is None and found["number"] != "0"):
        raise refusal_at(text, file, offset, why=f"{value!r} is not a duration", hint=_HINT)
    return float(found["number"]) * _UNITS[found["unit"] or "s"]
