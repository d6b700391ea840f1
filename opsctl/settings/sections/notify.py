"""Section `notify`: where alerts are sent, which ones, and how often."""

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
    """Least severity and topic, and the channels to send to."""

    severity: str
    topic: str
    channels: tuple[str, ...]


class Notify(Section):
    """Where alerts are sent, which ones, and how often."""

    slack_url: Secret = setting(
        Secret(""),
        "URL of a Slack-compatible webhook; keep it in .env.",
        env=("SLACK_WEBHOOK_URL",),
    )
    webhook_url: Secret = setting(
        Secret(""), "URL of a webhook that accepts JSON; keep it in .env."
    )
    allow_http: bool = setting(False, "Whether a webhook may use http.")
    allow_addresses: tuple[str, ...] = setting(
        (), "Non-public addresses or networks that webhooks may use, e.g. 10.1.2.3/32."
    )
    smtp_host: str = setting("", "Mail server; empty turns mail off.")
    smtp_port: int = setting(587, "Port of the mail server.", ge=1, le=65535)
    smtp_tls: Literal["starttls", "tls", "none"] = setting(
        "starttls", "Encryption to the mail server: starttls, tls, or none."
    )
    smtp_user: str = setting("", "User name for the mail server; empty means none.")
    smtp_password: Secret = setting(Secret(""), "Password for the mail server; keep it in .env.")
    mail_from: str = setting("opsctl@localhost", "Sender address of mails.", min_length=3)
    mail_to: tuple[str, ...] = setting((), "Recipient addresses of mails.")
    command: tuple[str, ...] = setting(
        (), "Program and arguments; it gets the messages as JSON on stdin."
    )
    journal: bool = setting(True, "Whether messages go to the system journal, where there is one.")
    routes: tuple[str, ...] = setting(
        ("info=journal", "warning=*"),
        "Where messages go: SEVERITY[:TOPIC]=CHANNEL+CHANNEL; that severity and above, * is all."
        " Channels: slack, webhook, email, command, journal.",
    )
    repeat_s: float = setting(
        3600.0,
        "At most one message per problem in this time, except for a rise to critical.",
        gt=0,
        le=604800,
    )
    quiet_hours: str = setting(
        "", "Hours in which only critical messages are sent, e.g. 22:00-07:00; the rest waits."
    )
    timezone: str = setting("UTC", "Time zone of the quiet hours, e.g. Asia/Seoul.")
    timeout_s: float = setting(10.0, "Longest wait for one channel.", gt=0, le=120)
    command_wait_s: float = setting(
        2.0,
        "Longest time to send messages when a command ends; the rest stays queued.",
        ge=0,
        le=60,
    )
    back_off_s: float = setting(
        5.0, "Wait after a failure; doubled with each further one.", gt=0, le=3600
    )
    back_off_max_s: float = setting(900.0, "Longest wait between two attempts.", gt=0, le=86400)
    max_rejections: int = setting(
        5, "Give up a message after this many rejections (4xx, 5yz), so that others are sent.", ge=1
    )
    keep_days: float = setting(30.0, "How long sent messages are recorded.", gt=0, le=3660)

    def check(self) -> None:
        for _ in self.read_routes():
            pass
        if self.quiet_hours and not re.match(_HOURS, self.quiet_hours):
            raise ValueError("quiet_hours is not HH:MM-HH:MM")
        for address in (self.mail_from, *self.mail_to):
            if not re.match(_ADDRESS, address):
                raise ValueError(f"{address!r} is not a mail address")
        _check_addresses(self.allow_addresses)
        _check_zone(self.timezone)

    def read_routes(self) -> Iterator[Route]:
        for text in self.routes:
            match = re.match(_ROUTE, text)
            names = tuple(match["channels"].split("+")) if match else ()
            if match is None or match["severity"] not in SEVERITIES:
                raise ValueError(f"route {text!r} is not SEVERITY[:TOPIC]=CHANNEL+CHANNEL")
            if unknown := sorted(set(names) - {*CHANNELS, "*"}):
                raise ValueError(f"route {text!r}: there is no channel {unknown[0]}")
            channels = CHANNELS if "*" in names else names
            yield Route(match["severity"], match["topic"] or "*", channels)

    def quiet_minutes(self) -> tuple[int, int] | None:
        """Return the first and last quiet minute; past midnight if the last is smaller."""
        match = re.match(_HOURS, self.quiet_hours)
        if match is None:
            return None
        begin = int(match["begin"]) * 60 + int(match["m"])
        return begin, int(match["end"]) * 60 + int(match["n"])


def _check_addresses(networks: tuple[str, ...]) -> None:
    if networks:
        from opsctl.addresses import parse_networks  # noqa: PLC0415 - only who names networks pays

        parse_networks(networks)


def _check_zone(name: str) -> None:
    if name != "UTC":
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - rarely needed

        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone {name!r} is not known") from None
