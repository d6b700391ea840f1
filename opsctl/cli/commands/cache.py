"""`opsctl cache`."""

from dataclasses import dataclass

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.confirm import confirm, confirm_by_name
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.errors import UnreachableError
from opsctl.findings import Finding, Level
from opsctl.kit.cache.admin.health import CacheHealth, read_health
from opsctl.kit.cache.admin.keys import CacheKeys, CacheRemoval, list_keys, plan_removal, remove
from opsctl.kit.cache.admin.statistics import CacheStats, list_ttls, read_stats
from opsctl.systems.redis.client import Redis
from opsctl.units import format_bytes

_YES = (
    click.option("-n", "--dry-run", is_flag=True, help="Show what would be deleted."),
    click.option("-y", "--yes", is_flag=True, help="Do not ask; in prod give --confirm prod."),
    click.option(
        "--confirm", "confirmed", metavar="ENV", help="Answer the confirmation that prod asks for."
    ),
)


@dataclass(frozen=True, slots=True)
class Lives:
    """TTLs by name, in seconds."""

    ttls: tuple[tuple[str, float], ...]


@click.group(cls=CommandGroup)
def cache() -> None:
    """Inspect and clear the cache that all processes share."""


@cache.command()
@pass_session
def stats(session: Session) -> int:
    """Show hits, misses and errors per process and in total.

    A process reports every cache.report_every_s and on request; an ended one is listed for an hour.
    """
    wiring = session.wiring
    rules = wiring.settings.cache
    found = read_stats(
        _redis(session), rules.prefix, goal_percent=rules.hit_rate_warn_percent, clock=wiring.clock
    )
    return session.output.conclude(found, _stats_view(found))


@cache.command(formats=FORMATS)
@pass_session
def health(session: Session) -> int:
    """Check layers, listeners, errors and hit rate; exit 3 on problems."""
    wiring = session.wiring
    rules = wiring.settings.cache
    if wiring.settings.redis.enabled:
        found = read_health(
            wiring.cache_redis,
            rules.prefix,
            goal_percent=rules.hit_rate_warn_percent,
            clock=wiring.clock,
            backend=rules.backend,
        )
    else:
        summary = "turned off by redis.enabled: each process has its own memory"
        found = CacheHealth((Finding("redis", Level.OK, summary),))
    rows = tuple((f.check, f.level.value, f.what) for f in found.findings)
    return session.output.conclude(found, [Table(("check", "", "finding"), rows)])


@cache.command()
@click.argument("pattern", default="*")
@click.option(
    "--limit",
    "most",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Maximum number of keys to show.",
)
@pass_session
def keys(session: Session, *, pattern: str, most: int) -> int:
    """List cached keys with their remaining TTL, by Redis glob PATTERN."""
    found = list_keys(_redis(session), session.wiring.settings.cache.prefix, pattern, most=most)
    return session.output.conclude(found, _keys_view(found))


@cache.command()
@pass_session
def ttl(session: Session) -> int:
    """Show the TTL of each type of data."""
    lives = Lives(list_ttls(session.wiring.settings.cache.lives))
    rows = tuple((name, f"{seconds:g}") for name, seconds in lives.ttls)
    return session.output.conclude(lives, [Table(("type", "seconds"), rows)])


@cache.command()
@_YES[0]
@_YES[1]
@_YES[2]
@pass_session
def clear(session: Session, *, dry_run: bool, yes: bool, confirmed: str | None) -> None:
    """Delete the whole cache, in Redis and in every process."""
    _remove(session, "*", dry_run=dry_run, yes=yes, confirmed=confirmed)


@cache.command()
@click.argument("pattern")
@_YES[0]
@_YES[1]
@_YES[2]
@pass_session
def delete(
    session: Session, *, pattern: str, dry_run: bool, yes: bool, confirmed: str | None
) -> None:
    """Delete the cached keys that match PATTERN, a Redis glob, everywhere."""
    _remove(session, pattern, dry_run=dry_run, yes=yes, confirmed=confirmed)


def _remove(
    session: Session, pattern: str, *, dry_run: bool, yes: bool, confirmed: str | None
) -> int:
    redis, prefix = _redis(session), session.wiring.settings.cache.prefix
    plan = plan_removal(redis, prefix, pattern)
    if dry_run:
        return session.output.conclude(plan, _removal_view(plan))
    question = f"Remove {plan.matching} cached values like {pattern} from {redis.address}?"
    if session.wiring.settings.env == "prod":
        confirm_by_name(session, question, name="prod", given=confirmed)
    else:
        confirm(session, question, yes=yes)
    with session.audited_change(pattern, lock="cache", wait_s=0.0):
        session.left_behind = "some of the values are removed; run it again"
        done = remove(redis, prefix, plan, session.wiring.clock)
    return session.output.conclude(done, _removal_view(done))


def _redis(session: Session) -> Redis:
    if not session.wiring.settings.redis.enabled:
        raise UnreachableError(
            "the cache is not shared",
            why="REDIS_ENABLED is false, so each process has its own memory",
            hint="Set redis.enabled to true.",
        )
    return session.wiring.cache_redis


def _stats_view(found: CacheStats) -> list[Block]:
    totals = found.totals
    rate = "none yet" if totals.hit_rate_percent is None else f"{totals.hit_rate_percent:.1f} %"
    head = (
        "service",
        "host",
        "pid",
        "backend",
        "entries",
        "memory",
        "l1",
        "l2",
        "misses",
        "errors",
    )
    rows = tuple(
        (
            one.service,
            one.host,
            str(one.pid),
            one.backend,
            *(str(one.figures.get("entries", 0)), format_bytes(one.figures.get("bytes", 0))),
            *(str(one.figures.get(name, 0)) for name in ("l1_hits", "l2_hits", "misses", "errors")),
            f"{age_s:.0f} s ago",
        )
        for one, age_s in zip(found.processes, found.ages_s, strict=True)
    )
    summary = f"hit rate {rate} (goal {totals.goal_percent:g} %) of {totals.processes} processes"
    return [summary, *([Table((*head, "reported"), rows)] if rows else [])]


def _keys_view(found: CacheKeys) -> list[Block]:
    rows = tuple(
        ("never" if key.ttl_s is None else f"{key.ttl_s:.1f} s", str(key.bytes), key.key)
        for key in found.keys
    )
    more = [] if found.whole else ["there are more: raise --limit"]
    return [Table(("ends in", "bytes", "key"), rows) if rows else "nothing is cached", *more]


def _removal_view(removal: CacheRemoval) -> list[Block]:
    if removal.removed is None:
        return [f"{removal.pattern}: would remove {removal.matching} values"]
    return [f"{removal.pattern}: removed {removal.removed} values"]
