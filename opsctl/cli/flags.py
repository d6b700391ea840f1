"""The global flags, which every command accepts before or after its name."""

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
        match = _DURATION.match(str(value).strip())
        seconds = float(match["number"]) * _UNITS[match["unit"]] if match else math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"{value!r} is not a duration such as 90, 500ms, 60s, 5m or 1h", param, ctx)
        return seconds


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 - any flag's value
    """Record a flag that was given; the last one on the line wins."""
    if value in (None, False, 0) or param.name is None:
        return
    given = ctx.meta.setdefault(GIVEN_FLAGS, {})
    name, value = ("output", "json") if param.name == "as_json" else (param.name, value)
    given[name] = given.get(name, 0) + value if name == "verbose" else value


def _flag(*names: str, **attributes: Any) -> click.Option:  # noqa: ANN401 - handed on to click
    return click.Option(list(names), expose_value=False, callback=_remember, **attributes)


def _printing_flag(
    *names: str, help_text: str, text: Callable[[click.Context], str]
) -> click.Option:
    """Make a flag that prints text and exits; those of click would load gettext."""

    def print_and_exit(ctx: click.Context, _param: click.Parameter, is_given: bool) -> None:
        if is_given and not ctx.resilient_parsing:
            click.echo(text(ctx))
            ctx.exit()

    return click.Option(
        names,
        is_flag=True,
        expose_value=False,
        is_eager=True,
        help=help_text,
        callback=print_and_exit,
    )


HELP = _printing_flag(
    "-h", "--help", "_help", help_text="Show this message and exit.", text=click.Context.get_help
)
VERSION = _printing_flag(
    "--version",
    help_text="Show the version and exit.",
    text=lambda _ctx: f"opsctl, version {__version__}",
)

COMMON_FLAGS: list[click.Parameter] = [
    _flag("-e", "--env", metavar="ENV", help="Environment: prod, dev or local."),
    _flag("-o", "--output", type=click.Choice(FORMATS), help="Output format."),
    _flag("--json", "as_json", is_flag=True, help="Same as -o json."),
    _flag("-q", "--quiet", is_flag=True, help="Suppress progress, notes and hints."),
    _flag("-v", "--verbose", count=True, help="Log more; twice also shows tracebacks."),
    _flag("--no-color", is_flag=True, help="Disable colours."),
    _flag("--no-input", is_flag=True, help="Never prompt; fail where an answer is needed."),
    _flag("--timeout", type=Duration(), help="Longest wait for one system, e.g. 5s."),
    _flag("-C", "directory", metavar="DIR", help="Run in DIR."),
    _flag("--config", metavar="FILE", help="Read FILE instead of configs/opsctl.yaml."),
]

lock_timeout = click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=Duration(),
    help="Longest wait for the lock, e.g. 60s; by default exit 75 at once.",
)
