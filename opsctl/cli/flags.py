"""The flags that every command takes, before or after its name."""

import math
import re
from collections.abc import Callable
from typing import Any

import click

from opsctl import __version__

FORMATS = ("text", "json", "nagios", "prom", "github", "junit", "sarif")
TEXT_AND_JSON = ("text", "json")
GIVEN_FLAGS = "opsctl.given"

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>ms|s|m|h|)\Z")


class Duration(click.ParamType[float]):
    """Seconds, or a number with ms, s, m or h."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found = _DURATION.match(str(value).strip())
        seconds = float(found["number"]) * _UNITS[found["unit"]] if found else math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"{value!r} is not a duration such as 90, 500ms, 60s, 5m or 1h", param, ctx)
        return seconds


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 - any flag's value
    """Keep what was typed; the word closest to the command counts."""
    if value in (None, False, 0) or param.name is None:
        return
    given = ctx.meta.setdefault(GIVEN_FLAGS, {})
    name, value = ("output", "json") if param.name == "as_json" else (param.name, value)
    given[name] = given.get(name, 0) + value if name == "verbose" else value


def _flag(*names: str, **attributes: Any) -> click.Option:  # noqa: ANN401 - handed on to click
    return click.Option(list(names), expose_value=False, callback=_remember, **attributes)


def _tells(*names: str, says: str, told: Callable[[click.Context], str]) -> click.Option:
    """Make a flag that says something in place of running; click's own load all of gettext."""

    def tell(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            click.echo(told(ctx))
            ctx.exit()

    return click.Option(
        names, is_flag=True, expose_value=False, is_eager=True, help=says, callback=tell
    )


HELP = _tells(
    "-h", "--help", "_help", says="Show this message and exit.", told=click.Context.get_help
)
VERSION = _tells(
    "--version",
    says="Show the version and exit.",
    told=lambda _ctx: f"opsctl, version {__version__}",
)

COMMON_FLAGS: list[click.Parameter] = [
    _flag("-e", "--env", metavar="ENV", help="Environment: prod, dev or local."),
    _flag("-o", "--output", type=click.Choice(FORMATS), help="Format of the answer."),
    _flag("--json", "as_json", is_flag=True, help="Short for -o json."),
    _flag("-q", "--quiet", is_flag=True, help="No progress, notes or hints."),
    _flag("-v", "--verbose", count=True, help="Say more; twice shows tracebacks."),
    _flag("--no-color", is_flag=True, help="No colours."),
    _flag("--no-input", is_flag=True, help="Never ask; fail where an answer is needed."),
    _flag("--timeout", type=Duration(), help="Longest wait for one system, e.g. 5s."),
    _flag("-C", "directory", metavar="DIR", help="Work in DIR."),
    _flag("--config", metavar="FILE", help="Read FILE instead of configs/opsctl.yaml."),
]

lock_timeout = click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=Duration(),
    help="Wait this long for the lock, e.g. 60s; without it, exit 75 at once.",
)
