"""Section `notify`: where alerts go, which, and how often."""

import re
from collections.abc import Iterator
from typing import Literal

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, setting
from opsctl.value import Value

SEVERITIES = ("info", "warning", "critical")
CHANNELS = ("slack", "webhook", "email", "command", "journal")
_ROUTE = r"(?P<severity>\w+)(?::(?P<topic>[\w.*-]+))?=(?P<channels>[\w+*]+)\Z"
_ADDRESS = r"[!-~]+@[!-~]+\Z"
_HOURS = r"(?P<begin>[01]\d|2[0-3]):(?P<m>[0-5]\d)-(?P<end>[01]\d|2[0-3]):(?P<n>[0-5]\d)\Z"


class Route(Value):
    """From which severity on, about what, to which channels."""

    severity: str
    topic: str
    channels: tuple[str, ...]


class Notify(Section):
    """Where alerts go, which, and how often."""

    slack_url: Secret = setting(
        Secret(""), "Slack-compatible webhook; keep it in .env.", env=("SLACK_WEBHOOK_URL",)
    )
    webhook_url: Secret = setting(Secret(""), "Webhook that takes JSON; keep it in .env.")
    allow_http: bool = setting(False, "Whether a webhook may go without TLS.")
    allow_addresses: tuple[str, ...] = setting(
        (), "Addresses or networks beside the public ones that webhooks may go to: 10.1.2.3/32."
    )
    smtp_host: str = setting("", "Mail server; empty turns mail off.")
    smtp_port: int = setting(587, "Port of the mail server.", ge=1, le=65535)
    smtp_tls: Literal["starttls", "tls", "none"] = setting(
        "starttls", "How the mail server is spoken to: starttls, tls, or none."
    )
    smtp_user: str = setting("", "Login at the mail server; empty means none.")
    smtp_password: Secret = setting(Secret(""), "Its password; keep it in .env.")
    mail_from: str = setting("opsctl@localhost", "Sender of mails.", min_length=3)
    mail_to: tuple[str, ...] = setting((), "Who gets mails.")
    command: tuple[str, ...] = setting(
        (), "Program and arguments that gets the notices as JSON on stdin."
    )
    journal: bool = setting(
        True, "Whether the system's journal, where there is one, is told as well."
    )
    routes: tuple[str, ...] = setting(
        ("info=journal", "warning=*"),
        "Who is told what: SEVERITY[:TOPIC]=CHANNEL+CHANNEL; that severity and above, * is all."
        " Channels: slack, webhook, email, command, journal.",
    )
    repeat_s: float = setting(
        3600.0,
        "One message a trouble in this time, whatever it does; only a rise to critical breaks it.",
        gt=0,
        le=604800,
    )
    quiet_hours: str = setting(
        "", "Hours in which only critical is told at once, e.g. 22:00-07:00; the rest waits."
    )
    timezone: str = setting("UTC", "Time zone of the quiet hours, e.g. Asia/Seoul.")
    timeout_s: float = setting(10.0, "Longest wait for one channel.", gt=0, le=120)
    command_wait_s: float = setting(
        2.0,
        "Longest time at a command's end for telling; what is not told by then stays queued.",
        ge=0,
        le=60,
    )
    back_off_s: float = setting(
        5.0, "Wait after a failure; doubled with each one more.", gt=0, le=3600
    )
    back_off_most_s: float = setting(900.0, "Longest wait between two tries.", gt=0, le=86400)
    refusals: int = setting(
        5, "After so many refusals (4xx, 5yz) a message is set aside, so that others pass.", ge=1
    )
    keep_days: float = setting(30.0, "How long what was told is remembered.", gt=0, le=3660)

    def check(self) -> None:
        for _ in self.read_routes():
            pass
        if self.quiet_hours and not re.match(_HOURS, self.quiet_hours):
            raise ValueError("quiet_hours is not HH:MM-HH:MM")
        for address in (self.mail_from, *self.mail_to):
            if not re.match(_ADDRESS, address):
                raise ValueError(f"{address!r} is no mail address")
        _check_addresses(self.allow_addresses)
        _check_zone(self.timezone)

    def read_routes(self) -> Iterator[Route]:
        for text in self.routes:
            found = re.match(_ROUTE, text)
            names = tuple(found["channels"].split("+")) if found else ()
            if found is None or found["severity"] not in SEVERITIES:
                raise ValueError(f"route {text!r} is not SEVERITY[:TOPIC]=CHANNEL+CHANNEL")
            if unknown := sorted(set(names) - {*CHANNELS, "*"}):
                raise ValueError(f"route {text!r}: there is no channel {unknown[0]}")
            channels = CHANNELS if "*" in names else names
            yield Route(found["severity"], found["topic"] or "*", channels)

    def quiet_minutes(self) -> tuple[int, int] | None:
        """Say from which minute of the day to which it is quiet; over midnight if it must be."""
        found = re.match(_HOURS, self.quiet_hours)
        if found is None:
            return None
        begin = int(found["begin"]) * 60 + int(found["m"])
        return begin, int(found["end"]) * 60 + int(found["n"])


def _check_addresses(networks: tuple[str, ...]) -> None:
    if networks:
        from opsctl.addresses import parse_networks  # noqa: PLC0415 - only who names networks pays

        parse_networks(networks)


def _check_zone(name: str) -> None:
    if name != "UTC":
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - rarely wanted

        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone {name!r} is not known") from None
