"""`opsctl notify`."""

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.notify.overview import Overview, Tested, overview, try_out


@click.group(cls=CommandGroup)
def notify() -> None:
    """Where alerts go: try a channel, see what was told and what waits."""


@notify.command(formats=FORMATS)
@click.argument("channel", required=False)
@pass_session
def test(session: Session, *, channel: str | None) -> int:
    """Send a test message to CHANNEL, or to every channel that is set up; exit 3 if one fails."""
    wiring = session.wiring
    tested = try_out(
        wiring.channels,
        channel,
        where=wiring.where,
        clock=wiring.clock,
        limit_s=wiring.settings.notify.timeout_s,
    )
    return session.output.conclude(tested, _tested_view(tested))


@notify.command(name="list", formats=FORMATS)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many of those that ended are listed.",
)
@pass_session
def list_(session: Session, *, limit: int) -> int:
    """List what waits and what was told last; exit 3 if a channel does not take its messages."""
    wiring = session.wiring
    names = tuple(channel.name for channel in wiring.channels)
    found = overview(wiring.store.deliveries, names, now=wiring.clock.now(), limit=limit)
    return session.output.conclude(found, _list_view(found))


def _tested_view(tested: Tested) -> list[Block]:
    if not tested.findings:
        return ["no channel is set up; docs/notify.md says how"]
    rows = tuple((f.check, f.level.value, f.what) for f in tested.findings)
    return [Table(("channel", "", "answer"), rows)]


def _list_view(found: Overview) -> list[Block]:
    channels = tuple((f.check, f.level.value, f.what) for f in found.findings)
    letters = tuple(
        (
            f"{one.made_at:%Y-%m-%d %H:%M:%S}",
            one.channel,
            one.status,
            "resolved" if one.said == "resolved" else one.severity,
            one.summary,
            one.trouble,
        )
        for one in found.letters
    )
    head = ("made (UTC)", "channel", "status", "", "message", "trouble")
    return [Table(("channel", "", "queue"), channels), "", Table(head, letters)]
