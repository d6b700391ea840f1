"""The options that several deploy commands share."""

import click

from opsctl.cli.flags import Duration

dry_run_option = click.option(
    "-n", "--dry-run", is_flag=True, help="Show the plan and change nothing."
)
exit_code_option = click.option(
    "--exit-code", is_flag=True, help="With -n: exit 4 if anything would change."
)
allow_stateful_option = click.option(
    "--allow-stateful", is_flag=True, help="Allow recreating services that keep data."
)
wait_timeout_option = click.option(
    "--wait-timeout",
    "wait_timeout_s",
    type=Duration(),
    help="Longest wait until every service is healthy, e.g. 90s.",
)
never_asks_option = click.option(
    "-y", "--yes", is_flag=True, help="Accepted for scripts; this command never asks."
)
