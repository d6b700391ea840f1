"""Programs that exist only here: what they answer is written down beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

from opsctl.systems.process.output import Line, redact
from opsctl.systems.process.run import Command, Finished, missing_program, out_of_time


@dataclass(frozen=True, slots=True)
class _Answer:
    exit_code: int
    stdout: str
    stderr: str
    is_late: bool


class ScriptedProcesses:
    def __init__(self) -> None:
        self.ran: list[Command] = []
        self._answers: dict[tuple[str, ...], _Answer] = {}

    def script(
        self,
        *argv: str,
        exit_code: int = 0,
        stdout: str = "",
        stderr: str = "",
        is_late: bool = False,
    ) -> None:
        """Answer every command that begins with these words; the longest beginning wins."""
        self._answers[argv] = _Answer(exit_code, stdout, stderr, is_late)

    def run(self, command: Command, *, check: bool = False) -> Finished:
        self.ran.append(command)
        answer = self._answer(command)
        if answer.is_late:
            raise out_of_time(command)
        said = answer.stdout.encode(), answer.stderr.encode()
        finished = Finished(command, answer.exit_code, *said)
        return finished.require() if check else finished

    def stream(self, command: Command, on_line: Callable[[Line], None]) -> Finished:
        finished = self.run(command)
        for text in finished.stdout.splitlines():
            on_line(Line(redact(text, command.secrets)))
        for text in finished.stderr.splitlines():
            on_line(Line(redact(text, command.secrets), is_error=True))
        return finished

    def attach(self, command: Command) -> int:
        return self.run(command).exit_code

    def _answer(self, command: Command) -> _Answer:
        if all(words[0] != command.argv[0] for words in self._answers):
            raise missing_program(command)
        fits = [words for words in self._answers if command.argv[: len(words)] == words]
        assert fits, f"nobody wrote down what this answers: {command.shown}"
        return self._answers[max(fits, key=len)]
