"""Section `limits`: how often others let us ask, and what holds while Redis is away."""

import re
from typing import Literal

from opsctl.settings.section import Section, setting

_RATE = r"(?P<limit>[1-9]\d*)/(?P<number>\d+(\.\d+)?)?(?P<unit>ms|s|m|h)\Z"
_NAMED = r"(?P<name>[a-z0-9][a-z0-9_.-]*)=(?P<rate>\S+)\Z"


def _is_rate(text: str) -> bool:
    found = re.match(_RATE, text)
    return found is not None and float(found["number"] or 1) > 0


def _a_rate(text: str) -> None:
    if not _is_rate(text):
        raise ValueError("it should be a rate such as 5/s, 100/m or 3/500ms")


def _named_rates(rates: tuple[str, ...]) -> None:
    for each in rates:
        named = re.match(_NAMED, each)
        if named is None or not _is_rate(named["rate"]):
            raise ValueError(f"{each!r} should be a name and a rate, such as krx=2/s")


class LimitsSettings(Section):
    """How often others let us ask, and what holds while Redis is away."""

    kis: str = setting("5/s", "Korea Investment & Securities, all calls of one key.", check=_a_rate)
    kis_rest: str = setting(
        "20/s", "Korea Investment & Securities, REST per account.", check=_a_rate
    )
    kiwoom: str = setting("5/s", "Kiwoom, REST.", check=_a_rate)
    dart: str = setting("100/m", "DART, the disclosure service.", check=_a_rate)
    naver: str = setting("10/s", "Naver Finance.", check=_a_rate)
    more: tuple[str, ...] = setting(
        (), "Limits of your own, e.g. krx=2/s, news=500/h.", check=_named_rates
    )
    prefix: str = setting("opsctl", "First part of the limiters' keys in Redis.", min_length=1)
    when_away: Literal["closed", "local", "open"] = setting(
        "local",
        "While Redis is away: closed refuses, local keeps a share in each process,"
        " open does not limit.",
    )
    processes: int = setting(
        4, "How many processes share each limit, for the local share.", ge=1, le=1000
    )

    after_restart: Literal["wait", "trust"] = setting(
        "wait",
        "After a restart of Redis that lost its data: wait one window, as it may have been full,"
        " or trust that it was not.",
    )
