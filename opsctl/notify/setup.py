"""Builds channels, routes and limits from settings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from opsctl.notify.channels.command import CommandChannel
from opsctl.notify.channels.journal import JournalChannel
from opsctl.notify.deliver import MessageSender, RetryPolicy
from opsctl.notify.model import Channel, ChannelLocks, Outbox
from opsctl.notify.notifier import Notifier, NotifierOptions
from opsctl.notify.plan import NotifyRules
from opsctl.settings.sections.notify import Notify
from opsctl.systems.clock import Clock
from opsctl.systems.journal import Journal
from opsctl.systems.process.run import Processes

if TYPE_CHECKING:
    from opsctl.systems.http.client import Http
    from opsctl.systems.mail import Mail, MailServer


@dataclass(frozen=True, slots=True)
class ChannelSystems:
    """The systems that channels send with."""

    http: "Callable[[], Http]"
    mail: "Callable[[MailServer], Mail]"
    processes: Processes
    journal: Journal


def build_channels(settings: Notify, systems: ChannelSystems) -> tuple[Channel, ...]:
    """Build a channel of each kind that settings name."""
    return tuple(_configured_channels(settings, systems))


def _configured_channels(settings: Notify, systems: ChannelSystems) -> Iterator[Channel]:
    if settings.slack_url.get_secret_value() or settings.webhook_url.get_secret_value():
        yield from _build_webhooks(settings, systems.http())
    if settings.smtp_host and settings.mail_to:
        from opsctl.notify.channels.mail import MailChannel  # noqa: PLC0415 - only mail needs it

        yield MailChannel(
            systems.mail(_mail_server(settings)), settings.mail_from, settings.mail_to
        )
    if settings.command:
        yield CommandChannel(systems.processes, settings.command)
    if settings.journal and systems.journal.is_there():
        yield JournalChannel(systems.journal)


def _build_webhooks(settings: Notify, http: "Http") -> Iterator[Channel]:
    from opsctl.notify.channels.slack import slack  # noqa: PLC0415 - httpx2 takes 20 MiB
    from opsctl.notify.channels.webhook import webhook  # noqa: PLC0415 - same
    from opsctl.systems.http.allowed_addresses import AllowedAddresses  # noqa: PLC0415 - same

    allowed = AllowedAddresses.of(settings.allow_addresses, plain_http=settings.allow_http)
    if url := settings.slack_url.get_secret_value():
        yield slack(url, http, allowed)
    if url := settings.webhook_url.get_secret_value():
        yield webhook(url, http, allowed)


def _mail_server(settings: Notify) -> "MailServer":
    from opsctl.systems.mail import MailServer  # noqa: PLC0415 - only mail needs it

    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
    )


@dataclass(frozen=True, slots=True)
class NotifierParts:
    """What a notifier needs: its queue, channels, locks and the clock."""

    outbox: Callable[[], Outbox]
    channels: tuple[Channel, ...]
    locks: ChannelLocks
    clock: Clock


def build_notifier(
    settings: Notify, parts: NotifierParts, *, where: str, redact: Callable[[str], str]
) -> Notifier:
    sender = MessageSender(
        parts.outbox,
        parts.channels,
        locks=parts.locks,
        clock=parts.clock,
        retry_policy=build_retry_policy(settings),
    )
    options = build_options(settings, where=where, redact=redact)
    return Notifier(parts.outbox, sender, options=options, clock=parts.clock)


def build_options(settings: Notify, *, where: str, redact: Callable[[str], str]) -> NotifierOptions:
    rules = NotifyRules(
        timedelta(seconds=settings.repeat_s), settings.quiet_minutes(), ZoneInfo(settings.timezone)
    )
    return NotifierOptions(rules, tuple(settings.read_routes()), where, redact)


def build_retry_policy(settings: Notify) -> RetryPolicy:
    return RetryPolicy(
        timeout_s=settings.timeout_s,
        first_wait_s=settings.back_off_s,
        max_wait_s=settings.back_off_max_s,
        max_rejections=settings.max_rejections,
        keep=timedelta(days=settings.keep_days),
    )
