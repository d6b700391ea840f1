"""`opsctl config`."""

from dataclasses import dataclass
from typing import Any

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.doctor.compose_file import check_compose_file
from opsctl.doctor.judge import judge_settings
from opsctl.findings import Finding
from opsctl.settings import DescribedSetting


@dataclass(frozen=True, slots=True)
class ShownSettings:
    """All settings of one environment, secrets masked."""

    env: str
    files: tuple[str, ...]
    settings: tuple[DescribedSetting, ...]


@dataclass(frozen=True, slots=True)
class CheckedSettings:
    env: str
    findings: tuple[Finding, ...]


@click.group(cls=CommandGroup)
def config() -> None:
    """Show and check the settings."""


@config.command()
@click.option("--origin", is_flag=True, help="Also show where each value comes from.")
@pass_session
def show(session: Session, *, origin: bool) -> int:
    """Show all settings of an environment, with secrets masked.

    \b
    Examples:
      opsctl config show -e prod
      opsctl config show --origin           where each value comes from
      opsctl config show | grep redis
    """
    loaded = session.wiring.loaded
    explained = tuple(loaded.resolved.describe())
    shown = ShownSettings(loaded.resolved.settings.env, loaded.files, explained)
    return session.output.conclude(shown, [_table(explained, origin=origin)])


@config.command(formats=FORMATS)
@click.option(
    "--connect", is_flag=True, help="Also connect to the database and Redis; exit 7 on failure."
)
@pass_session
def check(session: Session, *, connect: bool) -> int:
    """Check the settings of an environment.

    Exit 6: a setting is wrong. Exit 3: one is doubtful, such as a variable that sets nothing, or
    one that the compose file uses and nobody set.
    """
    loaded = session.wiring.loaded
    if connect:
        from opsctl.doctor.connections import connect_all  # noqa: PLC0415 - drivers, rarely needed

        connect_all(session.wiring)
    findings = (*judge_settings(loaded), *check_compose_file(session.wiring))
    checked = CheckedSettings(loaded.resolved.settings.env, findings)
    view: list[Block] = [f"{finding.level}: {finding.what}" for finding in checked.findings]
    return session.output.conclude(checked, view)


def _table(explained: tuple[DescribedSetting, ...], *, origin: bool) -> Table:
    if origin:
        origins = tuple((value.path, _text(value.value), value.origin) for value in explained)
        return Table(("setting", "value", "origin"), origins, long_column="value")
    rows = tuple((value.path, _text(value.value)) for value in explained)
    return Table(("setting", "value"), rows, long_column="value")


def _text(value: Any) -> str:  # noqa: ANN401 - a setting is anything that YAML can say
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
