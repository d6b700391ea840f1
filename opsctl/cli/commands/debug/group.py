"""`opsctl debug`."""

import click

from opsctl.cli.click_classes import LazyBranch
from opsctl.cli.command_table import DEBUG


@click.group(cls=LazyBranch, table=DEBUG)
def debug() -> None:
    """Inspect pub/sub traffic, subscribers, and slow commands."""
