"""`opsctl migrate dump`."""

from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.migrate.dialect import Named
from opsctl.migrate.dump import as_text


@dataclass(frozen=True, slots=True)
class Schema:
    objects: tuple[Named, ...]


@click.command(cls=OpsctlCommand)
@pass_session
def dump(session: Session) -> int:
    """Print the schema, in an order that stays: for reading and for diffs, not a backup."""
    project = session.wiring.migrations()
    with project.ledger() as ledger:
        objects = tuple(project.dialect.schema(ledger.session))
    return session.output.conclude(Schema(objects), [as_text(objects)])
