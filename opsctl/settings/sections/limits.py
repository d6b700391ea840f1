"""Section `limits`: the rate limits of outside services, and what applies without Redis."""

import re
from typing import Literal

from opsctl.settings.section import Section, setting

_RATE = r"(?P<limit>[1-9]\d*)/(?P<number>\d+(\.\d+)?)?(?P<unit>ms|s|m|h)\Z"
_NAMED = r"(?P<name>[a-z0-9][a-z0-9_.-]*)=(?P<rate>\S+)\Z"


def _is_rate(text: str) -> bool:
    match = re.match(_RATE, text)
    return match is not None and float(match["number"] or 1) > 0


def _check_rate(text: str) -> None:
    if not _is_rate(text):
        raise ValueError("it should be a rate such as 5/s, 100/m or 3/500ms")


def _check_named_rates(rates: tuple[str, ...]) -> None:
    for text in rates:
        named = re.match(_NAMED, text)
        if named is None or not _is_rate(named["rate"]):
            raise ValueError(f"{text!r} should be a name and a rate, such as krx=2/s")


class LimitsSettings(Section):
    """Rate limits of outside services, and what applies while Redis is unavailable."""

    kis: str = setting(
        "5/s", "Korea Investment & Securities, all calls of one key.", check=_check_rate
    )
    kis_rest: str = setting(
        "20/s", "Korea Investment & Securities, REST per account.", check=_check_rate
    )
    kiwoom: str = setting("5/s", "Kiwoom, REST.", check=_check_rate)
    dart: str = setting("100/m", "DART, the disclosure service.", check=_check_rate)
    naver: str = setting("10/s", "Naver Finance.", check=_check_rate)
    custom: tuple[str, ...] = setting(
        (), "Further limits by name, e.g. krx=2/s, news=500/h.", check=_check_named_rates
    )
    prefix: str = setting("opsctl", "Prefix of the rate limiters' keys in Redis.", min_length=1)
    when_unavailable: Literal["closed", "local", "open"] = setting(
        "local",
        "While Redis is unavailable: closed refuses every call, local gives each process its"
        " share, open does not limit.",
    )
    processes: int = setting(
        4,
        "How many processes share each limit; the local share is a limit divided by it.",
        ge=1,
        le=1000,
    )
    after_restart: Literal["wait", "trust"] = setting(
        "wait",
        "After Redis restarts without its data: wait blocks one window, since the limit may have"
        " been used up; trust assumes it was not.",
    )
