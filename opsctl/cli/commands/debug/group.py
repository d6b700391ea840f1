"""`opsctl debug`."""

import click

from opsctl.cli.click_classes import LazyGroup
from opsctl.cli.command_table import DEBUG_COMMANDS


@click.group(cls=LazyGroup, table=DEBUG_COMMANDS)
def debug() -> None:
    """Inspect pub/sub traffic, subscribers, and slow commands."""
