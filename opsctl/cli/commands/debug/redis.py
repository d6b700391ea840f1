"""`opsctl debug redis`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.probe.health import disabled_report
from opsctl.probe.redis.inspect import HotKey, RedisInspection, inspect_redis
from opsctl.units import format_bytes


@click.command(cls=OpsctlCommand)
@pass_session
def redis(session: Session) -> int:
    """Show slow commands, big and hot keys, and clients of Redis.

    Never stalls the server: keys are scanned in small steps, up to probe.max_keys keys or
    probe.budget_s seconds.
    """
    wiring = session.wiring
    if not wiring.settings.redis.enabled:
        report = disabled_report("redis", "redis.enabled")
        return session.output.conclude(report, ["Redis is turned off by redis.enabled."])
    seen = inspect_redis(wiring.redis, wiring.settings.probe, wiring.clock)
    return session.output.conclude(seen, _view(seen))


def _view(seen: RedisInspection) -> list[Block]:
    scope = "all" if seen.complete else "a sample of"
    slow = tuple(
        (f"{one.at:%m-%d %H:%M:%S}", f"{one.took_ms:.1f} ms", one.command, one.client)
        for one in seen.slow
    )
    big = tuple((format_bytes(k.bytes), k.kind, str(k.length), k.key) for k in seen.big)
    hot = tuple((_heat(one), one.key) for one in seen.hot)
    clients = tuple(
        (c.address, c.name, c.kind, c.command, f"{c.age_s} s", format_bytes(c.waiting_bytes))
        for c in seen.clients
    )
    return [
        *(_titled("Slow commands", ("at", "took", "command", "client"), slow)),
        *(_titled("Big keys", ("memory", "kind", "length", "key"), big)),
        *(_titled("Hot keys", ("", "key"), hot)),
        *(_titled("Clients", ("address", "name", "kind", "command", "age", "waiting"), clients)),
        f"\n{scope} {seen.scanned_keys} keys of {seen.address} were scanned",
        *(f"not seen: {why}" for why in seen.denied),
    ]


def _titled(title: str, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[Block]:
    return [f"\n{title}", Table(head, rows) if rows else "none"]


def _heat(key: HotKey) -> str:
    return f"uses {key.frequency} of 255" if key.idle_s is None else f"used {key.idle_s} s ago"
