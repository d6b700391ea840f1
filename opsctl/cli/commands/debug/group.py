"""`opsctl debug`."""

import click

from opsctl.cli.click_classes import LazyBranch
from opsctl.cli.command_table import DEBUG


@click.group(cls=LazyBranch, table=DEBUG)
def debug() -> None:
    """See what flows, who listens and what is slow."""
