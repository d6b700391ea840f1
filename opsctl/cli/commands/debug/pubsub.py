"""`opsctl debug pubsub`."""

from contextlib import closing
from dataclasses import replace

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.flags import FORMATS, Duration
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table, escape_control
from opsctl.errors import EXIT_OK
from opsctl.findings import Finding, Level
from opsctl.health_rules.measurements import ExpectedSubscriptions
from opsctl.health_rules.pubsub import OBSERVER_CLIENT, matching_patterns
from opsctl.probe.health import disabled_report
from opsctl.probe.pubsub.canary import send_canary
from opsctl.probe.pubsub.candidate_patterns import as_observer_pattern
from opsctl.probe.pubsub.follow import FollowOptions, TrafficInterval, TrafficMeter, follow_traffic
from opsctl.probe.pubsub.report import PubsubReport, expected_subscriptions, report_subscribers
from opsctl.systems.redis.pubsub import Topics
from opsctl.units import format_bytes

_PURPOSE = OBSERVER_CLIENT.removeprefix("opsctl:")


@click.command(cls=OpsctlCommand, formats=FORMATS)
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option("--canary", is_flag=True, help="Also send a test message and time its return.")
@click.option("--follow", "following", is_flag=True, help="Show traffic until interrupted.")
@click.option("--for", "for_s", type=Duration(), help="With --follow: stop after this long.")
@click.option(
    "--every", "every_s", type=Duration(), default="1s", help="With --follow: how often to report."
)
@click.option("--payloads", is_flag=True, help="With --follow: show the start of each message.")
@pass_session
def pubsub(
    session: Session,
    patterns: tuple[str, ...],
    *,
    canary: bool,
    following: bool,
    for_s: float | None,
    every_s: float,
    payloads: bool,
) -> int:
    """Show who subscribes to which channel; exit 3 if one has no subscriber.

    Without PATTERN, checks the channels and patterns of section `probe`. No message is sent.
    OK: it has a subscriber. FAIL: it provably has none. UNKNOWN: the server hides the answer.

    \b
    Examples:
      opsctl debug pubsub
      opsctl debug pubsub orders.kr 'orders.*'
      opsctl debug pubsub --follow --every 5s --for 1m
    """
    settings = session.wiring.settings
    wanted = expected_subscriptions(settings.probe, patterns)
    if not settings.redis.enabled:
        off = disabled_report("redis", "redis.enabled")
        return session.output.conclude(off, ["Redis is turned off by redis.enabled."])
    if following:
        pace = FollowOptions(every_s, for_s, settings.probe.top)
        _follow(session, wanted, pace, payloads=payloads)
        return EXIT_OK
    report = report_subscribers(
        session.wiring.redis, wanted, session.wiring.redis_node, settings.probe
    )
    if canary:
        report = replace(report, findings=(*report.findings, _canary(session)))
    return session.output.conclude(report, _view(report))


def _canary(session: Session) -> Finding:
    wiring = session.wiring
    channel = wiring.settings.probe.canary_channel
    return send_canary(
        wiring.redis,
        lambda: wiring.redis_subscription(Topics((channel,)), _PURPOSE),
        channel=channel,
        wait_s=wiring.settings.probe.budget_s,
        clock=wiring.clock,
    )


def _follow(
    session: Session, wanted: ExpectedSubscriptions, pace: FollowOptions, *, payloads: bool
) -> None:
    clock = session.wiring.clock
    alone = (name for name in wanted.channels if not matching_patterns(name, wanted.patterns))
    watched = tuple(map(as_observer_pattern, (*wanted.patterns, *alone)))
    meter = TrafficMeter(wanted.channels, samples=payloads)
    topics = Topics(patterns=watched)
    with closing(session.wiring.redis_subscription(topics, _PURPOSE)) as subscription:
        for beat in follow_traffic(subscription, meter, clock, pace):
            session.output.event(beat, "\n".join(_lines(beat)))


def _view(report: PubsubReport) -> list[Block]:
    rows = tuple(
        (one.kind, one.name, one.verdict, str(one.literal), ", ".join(one.patterns), one.proof)
        for one in report.coverage
    )
    table = Table(("", "name", "", "literal", "patterns", "proof"), rows)
    others = [f for f in report.findings if f.check.partition(" ")[0] not in ("channel", "pattern")]
    messages = [f"{finding.check}: {finding.what}" for finding in others]
    fixes = dict.fromkeys(f.fix for f in report.findings if f.fix and f.level is not Level.OK)
    return [table, *messages, *(["\nTo fix:"] if fixes else []), *fixes]


def _lines(beat: TrafficInterval) -> list[str]:
    total = f"{beat.messages_per_s:.1f} messages/s, {format_bytes(beat.bytes_per_s)}/s"
    lines = [f"after {beat.elapsed_s:.0f} s: {total}"]
    for channel in beat.channels:
        last = (
            "no message yet" if channel.silent_s is None else f"last {channel.silent_s:.1f} s ago"
        )
        rate = f"{channel.messages_per_s:.1f}/s, {format_bytes(channel.bytes_per_s)}/s"
        sample = f"  {escape_control(channel.sample)}" if channel.sample else ""
        lines.append(
            f"  {escape_control(channel.channel)}  {rate}, {channel.messages} in total,"
            f" {last}{sample}"
        )
    return lines
