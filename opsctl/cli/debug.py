"""`opsctl debug`."""

import click

from opsctl.cli.commands import DEBUG
from opsctl.cli.grammar import LazyBranch


@click.group(cls=LazyBranch, table=DEBUG)
def debug() -> None:
    """See what flows, who listens and what is slow."""
