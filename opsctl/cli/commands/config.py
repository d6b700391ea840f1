"""`opsctl config`."""

from dataclasses import dataclass
from typing import Any

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.doctor.judge import judge_settings
from opsctl.findings import Finding
from opsctl.settings import DescribedSetting


@dataclass(frozen=True, slots=True)
class Shown:
    """All settings of one environment, secrets masked."""

    env: str
    files: tuple[str, ...]
    settings: tuple[DescribedSetting, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    env: str
    findings: tuple[Finding, ...]


@click.group(cls=CommandGroup)
def config() -> None:
    """Show and check the settings."""


@config.command()
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@pass_session
def show(session: Session, *, origin: bool) -> int:
    """Show every setting of an environment; secrets are masked."""
    loaded = session.wiring.loaded
    explained = tuple(loaded.resolved.describe())
    shown = Shown(loaded.resolved.settings.env, loaded.files, explained)
    return session.output.conclude(shown, [_table(explained, origin=origin)])


@config.command(formats=FORMATS)
@click.option("--connect", is_flag=True, help="Also open the database and Redis; exit 7 if dead.")
@pass_session
def check(session: Session, *, connect: bool) -> int:
    """Check the settings of an environment; exit 6 if one is wrong, 3 if one is doubtful."""
    loaded = session.wiring.loaded
    if connect:
        from opsctl.doctor.connections import connect_all  # noqa: PLC0415 - drivers, rarely wanted

        connect_all(session.wiring)
    checked = Checked(loaded.resolved.settings.env, tuple(judge_settings(loaded)))
    view: list[Block] = [f"{finding.level}: {finding.what}" for finding in checked.findings]
    return session.output.conclude(checked, view)


def _table(explained: tuple[DescribedSetting, ...], *, origin: bool) -> Table:
    if origin:
        rows = tuple((value.path, _text(value.value), value.origin) for value in explained)
        return Table(("setting", "value", "origin"), rows)
    return Table(("setting", "value"), tuple((v.path, _text(v.value)) for v in explained))


def _text(value: Any) -> str:  # noqa: ANN401 - a setting is anything that YAML can say
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
