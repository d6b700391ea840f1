"""`opsctl completion`."""

import click
from click.shell_completion import get_completion_class

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=OpsctlCommand, formats=("text",))
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    bash: eval "$(opsctl completion bash)" in ~/.bashrc;
    zsh: the same in ~/.zshrc;
    fish: opsctl completion fish > ~/.config/fish/completions/opsctl.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"click knows no completion for {shell}")
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, "opsctl", "_OPSCTL_COMPLETE").source())
