"""`opsctl migrate dump`."""

from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.migrate.dialect import SchemaObject
from opsctl.migrate.dump import format_schema


@dataclass(frozen=True, slots=True)
class SchemaReport:
    objects: tuple[SchemaObject, ...]


@click.command(cls=OpsctlCommand)
@pass_session
def dump(session: Session) -> int:
    """Print the schema as SQL, in a stable order.

    For reading and for diffs; it is not a backup.
    """
    context = session.wiring.migrations()
    with context.open_tracking_table() as tracking:
        objects = tuple(context.dialect.read_schema(tracking.session))
    return session.output.conclude(SchemaReport(objects), [format_schema(objects)])
