"""Makes channels and rules out of settings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from opsctl.notify.channels import CommandChannel, JournalChannel, MailChannel, slack, webhook
from opsctl.notify.courier import Patience
from opsctl.notify.model import Channel
from opsctl.notify.plan import Rules, Way
from opsctl.notify.tell import Telling
from opsctl.settings.notify import Notify
from opsctl.systems.http import Http
from opsctl.systems.journal import Journal
from opsctl.systems.mail import Mail, MailServer
from opsctl.systems.process import Processes
from opsctl.systems.reach import Reach


@dataclass(frozen=True, slots=True)
class Means:
    """The systems that channels send by."""

    http: Http
    processes: Processes
    journal: Journal
    mail: Callable[[MailServer], Mail]


def set_up(settings: Notify, means: Means) -> tuple[Channel, ...]:
    """Make a channel of each kind that settings name."""
    return tuple(_channels(settings, means))


def _channels(settings: Notify, means: Means) -> Iterator[Channel]:
    reach = Reach.of(settings.allow_addresses, plain_http=settings.allow_http)
    if url := settings.slack_url.get_secret_value():
        yield slack(url, means.http, reach)
    if url := settings.webhook_url.get_secret_value():
        yield webhook(url, means.http, reach)
    if settings.smtp_host and settings.mail_to:
        yield MailChannel(means.mail(_server(settings)), settings.mail_from, settings.mail_to)
    if settings.command:
        yield CommandChannel(means.processes, settings.command)
    if settings.journal:
        yield JournalChannel(means.journal)


def _server(settings: Notify) -> MailServer:
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
    )


def telling(settings: Notify, *, where: str, redact: Callable[[str], str]) -> Telling:
    rules = Rules(
        timedelta(seconds=settings.repeat_s), settings.quiet_minutes(), ZoneInfo(settings.timezone)
    )
    return Telling(rules, tuple(Way(*route) for route in settings.read_routes()), where, redact)


def patience(settings: Notify) -> Patience:
    return Patience(
        timeout_s=settings.timeout_s,
        back_off_s=settings.back_off_s,
        back_off_most_s=settings.back_off_most_s,
        refusals=settings.refusals,
        keep=timedelta(days=settings.keep_days),
    )
