"""Makes channels and rules out of settings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from opsctl.notify.channels.local import CommandChannel, JournalChannel
from opsctl.notify.deliver import Courier, Patience
from opsctl.notify.model import Channel, Outbox, Turns
from opsctl.notify.notifier import Notifier, Telling
from opsctl.notify.plan import Rules, Way
from opsctl.settings.sections.notify import Notify
from opsctl.systems.clock import Clock
from opsctl.systems.journal import Journal
from opsctl.systems.process.run import Processes

if TYPE_CHECKING:
    from opsctl.systems.http.client import Http
    from opsctl.systems.mail import Mail, MailServer


@dataclass(frozen=True, slots=True)
class Means:
    """The systems that channels send by."""

    http: "Callable[[], Http]"
    mail: "Callable[[MailServer], Mail]"
    processes: Processes
    journal: Journal


def set_up(settings: Notify, means: Means) -> tuple[Channel, ...]:
    """Make a channel of each kind that settings name."""
    return tuple(_channels(settings, means))


def _channels(settings: Notify, means: Means) -> Iterator[Channel]:
    if settings.slack_url.get_secret_value() or settings.webhook_url.get_secret_value():
        yield from _webhooks(settings, means.http())
    if settings.smtp_host and settings.mail_to:
        from opsctl.notify.channels.mail import MailChannel  # noqa: PLC0415 - only who mails pays

        yield MailChannel(means.mail(_server(settings)), settings.mail_from, settings.mail_to)
    if settings.command:
        yield CommandChannel(means.processes, settings.command)
    if settings.journal and means.journal.is_there():
        yield JournalChannel(means.journal)


def _webhooks(settings: Notify, http: "Http") -> Iterator[Channel]:
    from opsctl.notify.channels.webhook import slack, webhook  # noqa: PLC0415 - httpx takes 20 MiB
    from opsctl.systems.http.allowed_addresses import AllowedAddresses  # noqa: PLC0415 - same

    allowed = AllowedAddresses.of(settings.allow_addresses, plain_http=settings.allow_http)
    if url := settings.slack_url.get_secret_value():
        yield slack(url, http, allowed)
    if url := settings.webhook_url.get_secret_value():
        yield webhook(url, http, allowed)


def _server(settings: Notify) -> "MailServer":
    from opsctl.systems.mail import MailServer  # noqa: PLC0415 - only who mails pays

    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
    )


@dataclass(frozen=True, slots=True)
class Ends:
    """What a notifier is tied to: its queue, its channels, locks and the clock."""

    outbox: Callable[[], Outbox]
    channels: tuple[Channel, ...]
    turns: Turns
    clock: Clock


def make_notifier(
    settings: Notify, ends: Ends, *, where: str, redact: Callable[[str], str]
) -> Notifier:
    courier = Courier(
        ends.outbox,
        ends.channels,
        turns=ends.turns,
        clock=ends.clock,
        patience=patience(settings),
    )
    told = telling(settings, where=where, redact=redact)
    return Notifier(ends.outbox, courier, telling=told, clock=ends.clock)


def telling(settings: Notify, *, where: str, redact: Callable[[str], str]) -> Telling:
    rules = Rules(
        timedelta(seconds=settings.repeat_s), settings.quiet_minutes(), ZoneInfo(settings.timezone)
    )
    ways = [Way(one.severity, one.topic, one.channels) for one in settings.read_routes()]
    return Telling(rules, tuple(ways), where, redact)


def patience(settings: Notify) -> Patience:
    return Patience(
        timeout_s=settings.timeout_s,
        back_off_s=settings.back_off_s,
        back_off_most_s=settings.back_off_most_s,
        refusals=settings.refusals,
        keep=timedelta(days=settings.keep_days),
    )
