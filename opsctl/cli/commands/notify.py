"""`opsctl notify`."""

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.notify.list_queue import QueueReport, list_queue
from opsctl.notify.send_test_message import ChannelTestReport, send_test_messages


@click.group(cls=CommandGroup)
def notify() -> None:
    """Test notification channels and list queued and sent messages."""


@notify.command(formats=FORMATS)
@click.argument("channel", required=False)
@pass_session
def test(session: Session, *, channel: str | None) -> int:
    """Send a test message to CHANNEL, or to every channel.

    Exits 3 if a channel does not accept it.

    \b
    Examples:
      opsctl notify test
      opsctl notify test slack
    """
    wiring = session.wiring
    report = send_test_messages(
        wiring.channels,
        channel,
        where=wiring.where,
        clock=wiring.clock,
        limit_s=wiring.settings.notify.timeout_s,
    )
    return session.output.conclude(report, _test_view(report))


@notify.command(name="list", formats=FORMATS)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Number of sent, rejected or withdrawn messages to list.",
)
@pass_session
def list_(session: Session, *, limit: int) -> int:
    """List the messages that wait, and the last ones sent.

    Exits 3 if a channel does not accept its messages.
    """
    wiring = session.wiring
    names = tuple(channel.name for channel in wiring.channels)
    report = list_queue(wiring.store.deliveries, names, now=wiring.clock.now(), limit=limit)
    return session.output.conclude(report, _list_view(report))


def _test_view(report: ChannelTestReport) -> list[Block]:
    if not report.findings:
        return ["no channel is in the settings; see docs/notify.md"]
    rows = tuple((f.check, f.level.value, f.what) for f in report.findings)
    return [Table(("channel", "", "result"), rows)]


def _list_view(report: QueueReport) -> list[Block]:
    channels = tuple((f.check, f.level.value, f.what) for f in report.findings)
    messages = tuple(
        (
            f"{message.made_at:%Y-%m-%d %H:%M:%S}",
            message.channel,
            message.status,
            "resolved" if message.event == "resolved" else message.severity,
            message.summary,
            message.error,
        )
        for message in report.messages
    )
    head = ("created (UTC)", "channel", "status", "", "message", "error")
    return [Table(("channel", "", "queue"), channels), "", Table(head, messages)]
