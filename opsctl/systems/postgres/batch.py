"""What is sent for one file, and how a position in it maps back to the file."""

import re
from collections.abc import Iterator

from opsctl.systems.postgres.sqlstates import Diagnosis
from opsctl.systems.sql_scripts import ScriptBatch, ScriptStage
from opsctl.value import Value

_DATA_LINE = r"(?m)^COPY .*?, line (\d+)"


class ErrorPlace(Value):
    stage: ScriptStage
    position: int | None
    statement: int | None


class SentBatch(Value):
    """The file's text without the data of COPY, between our own head and tail."""

    message: ScriptBatch
    opening: tuple[str, ...] = ()
    """Our own statements, ahead of the caller's statements before the file."""
    closing: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        return "".join(f"{statement};\n" for statement in (*self.opening, *self.message.before))

    @property
    def text(self) -> str:
        # What follows must stand clear of a last line that is a comment.
        tail = "".join(f"\n;{statement}" for statement in self.closing)
        return f"{self.head}{self._body()}{tail}"

    def data(self) -> Iterator[str]:
        for start, end, _ in self.message.copies:
            yield self.message.text[start:end]

    def find(self, diagnosis: Diagnosis, *, answered: int, fed: int) -> ErrorPlace:
        """Place an error: by its position, by its line of data, or by the answers before it."""
        if diagnosis.position is not None:
            return self._at(diagnosis.position - 1, answered)
        statement = self._statement(answered)
        if statement is None:
            return ErrorPlace(ScriptStage.BEFORE, None, None)
        if self.message.starts and statement >= len(self.message.starts):
            return ErrorPlace(ScriptStage.AFTER, None, None)
        return ErrorPlace(ScriptStage.TEXT, self._in_data(diagnosis.context, fed), statement)

    def _at(self, offset: int, answered: int) -> ErrorPlace:
        body = offset - len(self.head)
        if body < 0:
            return ErrorPlace(ScriptStage.BEFORE, None, None)
        if body > len(self._body()):
            return ErrorPlace(ScriptStage.AFTER, None, None)
        return ErrorPlace(ScriptStage.TEXT, self._in_file(body), self._statement(answered))

    def _statement(self, answered: int) -> int | None:
        """Count the file's own; none has run when the message as a whole does not parse."""
        statement = answered - len(self.opening) - len(self.message.before)
        return statement if statement >= 0 else None

    def _in_data(self, context: str, fed: int) -> int | None:
        line = re.search(_DATA_LINE, context)
        if line is None or not 0 < fed <= len(self.message.copies):
            return None
        position = self.message.copies[fed - 1][0]
        for _ in range(int(line[1]) - 1):
            position = self.message.text.find("\n", position) + 1
        return position

    def _in_file(self, offset: int) -> int:
        for start, _, after in self.message.copies:
            if offset < start:
                break
            offset += after - start
        return offset

    def _body(self) -> str:
        text, parts, position = self.message.text, [], 0
        for start, _, after in self.message.copies:
            parts.append(text[position:start])
            position = after
        return "".join([*parts, text[position:]])


def compose(
    message: ScriptBatch, *, prepare: tuple[str, ...], forget: tuple[str, ...]
) -> SentBatch:
    """Put the file between the statements that open and end its transaction."""
    opening = (message.begin,) if message.begin else ()
    closing = tuple(statement for statement in (message.after, message.end) if statement)
    # What is rolled back took its settings along.
    leaves = forget if message.end == "COMMIT" else ()
    return SentBatch(message, opening + prepare, closing + leaves)
