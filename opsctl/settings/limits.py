"""Section `limits`: how often others let us ask, and what holds while Redis is away."""

import re
from typing import Literal

from pydantic import field_validator

from opsctl.settings.section import Section, setting

RATE = re.compile(r"(?P<limit>[1-9]\d*)/(?P<number>\d+(\.\d+)?)?(?P<unit>ms|s|m|h)\Z")
NAMED = re.compile(r"(?P<name>[a-z0-9][a-z0-9_.-]*)=(?P<rate>\S+)\Z")


class Limits(Section):
    """How often others let us ask, and what holds while Redis is away."""

    kis: str = setting("5/s", "Korea Investment & Securities, all calls of one key.")
    kis_rest: str = setting("20/s", "Korea Investment & Securities, REST per account.")
    kiwoom: str = setting("5/s", "Kiwoom, REST.")
    dart: str = setting("100/m", "DART, the disclosure service.")
    naver: str = setting("10/s", "Naver Finance.")
    more: tuple[str, ...] = setting((), "Limits of your own, e.g. krx=2/s, news=500/h.")
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

    @field_validator("kis", "kis_rest", "kiwoom", "dart", "naver")
    @classmethod
    def _a_rate(cls, value: str) -> str:
        if RATE.match(value) is None:
            raise ValueError("it should be a rate such as 5/s, 100/m or 3/500ms")
        return value

    @field_validator("more")
    @classmethod
    def _named_rates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            named = NAMED.match(each)
            if named is None or RATE.match(named["rate"]) is None:
                raise ValueError(f"{each!r} should be a name and a rate, such as krx=2/s")
        return value
