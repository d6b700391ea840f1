"""The session of one command: its flags, its output, and the wiring of its parts."""

import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from opsctl.cli.flags import GIVEN_FLAGS
from opsctl.errors import UsageError
from opsctl.value import Value

if TYPE_CHECKING:
    from opsctl.cli.show.output import Output
    from opsctl.progress import Progress
    from opsctl.wiring import Wiring

P = ParamSpec("P")


class CommonFlags(Value):
    """The global flags as they were given."""

    env: str | None = None
    output: str = "text"
    quiet: bool = False
    verbose: int = 0
    no_color: bool = False
    no_input: bool = False
    timeout: float | None = None
    directory: str = "."
    config: str | None = None


class Session:
    """Builds its parts on first use; tests pass a wiring of fakes."""

    def __init__(self, wiring: "Wiring | None" = None) -> None:
        self.options = CommonFlags()
        self.command = ""
        self.left_behind = "nothing was changed"
        self._wiring = wiring
        self._replaced: list[Wiring] = []

    def begin(self, command: str, given: Mapping[str, Any]) -> None:
        self.command = command
        self.options = self.options.replaced(**given)

    @functools.cached_property
    def output(self) -> "Output":
        from opsctl.cli.show.output import Output  # noqa: PLC0415 - `--help` never pays

        plain = self.options.no_color or "NO_COLOR" in os.environ
        color = False if plain or os.environ.get("TERM") == "dumb" else None
        options = self.options
        return Output(self.command, form=options.output, quiet=options.quiet, color=color)

    @property
    def wiring(self) -> "Wiring":
        if self._wiring is None:
            from opsctl.wiring import (  # noqa: PLC0415 - only commands with parts pay
                ProjectLocation,
                Wiring,
            )

            options = self.options
            place = ProjectLocation(options.directory, options.config, options.env)
            self._wiring = Wiring(place, environ=os.environ, timeout_s=options.timeout)
            self._wiring.start_logs(sys.stderr, verbose=options.verbose)
        return self._wiring

    def pop_timeout(self) -> float | None:
        """Take --timeout for the command itself; systems then use the timeouts of the settings."""
        timeout_s, self.options = self.options.timeout, self.options.replaced(timeout=None)
        return timeout_s

    def switch_wiring(self, wiring: "Wiring") -> "Wiring":
        """Continue with another wiring; both are closed at the end."""
        self._replaced.append(self.wiring)
        self._wiring = wiring
        return wiring

    @contextmanager
    def audited_action(
        self, target: str, details: Mapping[str, Any] | None = None
    ) -> Iterator[None]:
        """Do something that is recorded in the audit, and refused to experiments in prod."""
        # Only commands that change something pay for this import.
        from opsctl.state.model import Action  # noqa: PLC0415

        wiring = self.wiring
        action = Action(wiring.actor, wiring.settings.env, self.command, target, details or {})
        with wiring.store.audit.action(action, clock=wiring.clock):
            wiring.guard_production(self.command)
            yield

    @contextmanager
    def audited_change(self, target: str, *, lock: str, wait_s: float) -> Iterator[None]:
        """Make a change: recorded in the audit, refused to experiments in prod, under a lock."""
        purpose = f"opsctl {self.command}"
        with (
            self.audited_action(target),
            self.wiring.locks.hold(lock, purpose=purpose, wait_s=wait_s),
        ):
            yield

    @functools.cached_property
    def progress(self) -> "Progress":
        from opsctl.progress import NoProgress  # noqa: PLC0415 - `--help` never pays

        if self.options.quiet:
            return NoProgress()
        from opsctl.cli.show.progress import progress_for  # noqa: PLC0415 - only long work pays

        return progress_for(sys.stderr)

    @property
    def heartbeat(self) -> "Progress":
        """Progress for work that prints its own lines: a line every 10 s, on a terminal as well."""
        from opsctl.progress import NoProgress  # noqa: PLC0415 - `--help` never pays

        if self.options.quiet:
            return NoProgress()
        from opsctl.cli.show.progress import Heartbeat  # noqa: PLC0415 - only long work pays

        return Heartbeat(sys.stderr, self.wiring.clock)

    def close(self) -> None:
        for wiring in (self._wiring, *self._replaced):
            if wiring is not None:
                wiring.close()


def pass_session(
    command: Callable[Concatenate[Session, P], int | None],
) -> Callable[P, int | None]:
    """Pass the session to a command, with its flags read and its output format checked."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> int | None:
        context = click.get_current_context()
        session = context.ensure_object(Session)
        session.begin(command_name(context), context.meta.get(GIVEN_FLAGS, {}))
        _refuse_format(context.command, session.options.output)
        context.call_on_close(session.close)
        return command(session, *args, **kwargs)

    return wrapper


def command_name(context: click.Context) -> str:
    """Name a command as its JSON schema does: `config.show`."""
    names: list[str] = []
    at: click.Context | None = context
    while at is not None and at.parent is not None:
        names.insert(0, at.info_name or "")
        at = at.parent
    return ".".join(names)


def _refuse_format(command: click.Command, form: str) -> None:
    formats = getattr(command, "formats", None)
    if formats is not None and form not in formats:
        raise UsageError(
            f"`opsctl {command.name}` cannot print {form}",
            hint=f"Use -o {' or -o '.join(formats)}.",
        )
