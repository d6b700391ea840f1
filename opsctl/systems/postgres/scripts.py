"""Files of SQL on PostgreSQL: each one message, applied together with its row or not at all."""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline, PendingCall, within
from opsctl.systems.postgres import libpq
from opsctl.systems.postgres.address import KEEPALIVE, check_parameters, format_address
from opsctl.systems.postgres.batch import SentBatch, compose
from opsctl.systems.postgres.sqlstates import (
    LOST,
    STATEMENT,
    Diagnosis,
    by_state,
    by_words,
    words_of_connecting,
)
from opsctl.systems.postgres.values import bind, read_row
from opsctl.systems.sql_scripts import Row, ScriptBatch, ScriptError, ScriptSession, SqlValue

_CONNECT_S = 5.0
_QUERY_S = 60.0
_ANSWER_S = 5.0
"""How long after its own limits the server may take to report them."""
_STOP_S = 5.0
# By then one that still waits does so in the kernel.
_HANG_UP_S = 0.5
_WATCH = "client_connection_check_interval = 1000"
_FORGET = ("RESET ALL", "RESET ROLE", "RESET SESSION AUTHORIZATION")


class LibpqScripts:
    """One database behind one URL or DSN; each session is a connection of its own."""

    def __init__(
        self, dsn: str, *, clock: Clock, connect_s: float = _CONNECT_S, query_s: float = _QUERY_S
    ) -> None:
        self._parameters = check_parameters(libpq.parse(dsn))
        self._clock = clock
        self._connect_s = connect_s
        self._query_s = query_s
        self._ahead: PendingCall[LibpqSession] | None = None

    def __repr__(self) -> str:
        return f"LibpqScripts({self.address!r})"

    @property
    def address(self) -> str:
        return format_address(self._parameters)

    def beside(self, database: str) -> "LibpqScripts":
        import copy  # noqa: PLC0415 - few runs compare

        other = copy.copy(self)
        other._parameters = self._parameters | {"dbname": database}  # noqa: SLF001  # a copy of ourselves
        other._ahead = None  # noqa: SLF001  # same
        return other

    @contextlib.contextmanager
    def session(self) -> Iterator[ScriptSession]:
        session = self._connect()
        try:
            yield session
        finally:
            session.close()

    def call_ahead(self, question: str) -> None:
        self._ahead = self._dial(question)

    def hang_up(self) -> None:
        # A library at work in a thread while the process ends may crash it.
        answer, self._ahead = self._ahead, None
        if answer is not None:
            with contextlib.suppress(TimeoutError, libpq.ConnectError, OpsctlError):
                answer.within(Deadline.after(self._clock, _HANG_UP_S)).close()

    def _dial(self, question: str = "") -> "PendingCall[LibpqSession]":
        opened = partial(self._opened, question)
        return PendingCall(Deadline.after(self._clock, self._connect_s), opened)

    def _opened(self, question: str) -> "LibpqSession":
        connection = libpq.LibpqConnection(self._startup())
        session = LibpqSession(
            connection, address=self.address, clock=self._clock, query_s=self._query_s
        )
        if question:
            session.ask_ahead(question)
        return session

    def _connect(self) -> "LibpqSession":
        answer, self._ahead = self._ahead or self._dial(), None
        try:
            return answer()
        except TimeoutError as error:
            raise UnreachableError(
                f"cannot connect to PostgreSQL at {self.address}",
                why=str(error),
                hint="Is it running, and does a firewall block the port?",
            ) from error
        except libpq.ConnectError as error:
            why = words_of_connecting(str(error))
            meaning = by_words(why)
            what = meaning.what.format(address=self.address)
            raise meaning.error(what, why=why, hint=meaning.hint) from error

    def _startup(self) -> dict[str, str]:
        """No `options`: a pooler refuses them."""
        defaults = {
            "gssencmode": "disable",
            "connect_timeout": str(max(2, round(self._connect_s))),
            # What was sent and never acknowledged would be repeated for a quarter of an hour.
            "tcp_user_timeout": "30000",
        }
        return defaults | self._parameters | KEEPALIVE | {"client_encoding": "UTF8"}


class LibpqSession:
    def __init__(
        self, connection: libpq.LibpqConnection, *, address: str, clock: Clock, query_s: float
    ) -> None:
        self._connection = connection
        self._address = address
        self._clock = clock
        self._query_s = query_s
        self._watch = ""
        self._asked = ""
        try:
            self._pid = self._introduce()
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def ask_ahead(self, question: str) -> None:
        """Let the server find the answer while nobody waits for it."""
        self._settle()
        self._connection.send(question)
        self._asked = question

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def is_pooled(self) -> bool:
        return self._pid != self._connection.pid

    @property
    def notices(self) -> Sequence[str]:
        return self._connection.notices()

    def run(self, message: ScriptBatch) -> None:
        watch = (f"SET LOCAL {self._watch}",) if self._watch else ()
        self._connection.clear_notices()
        self._settle()
        self._send(compose(message, prepare=_FORGET + watch, forget=_FORGET))

    def run_alone(
        self, text: str, *, before: Sequence[str] = (), statement_s: float | None = None
    ) -> None:
        watch = [f"SET {self._watch}"] if self._watch else []
        self._connection.clear_notices()
        self._settle()
        try:
            for statement in [*watch, *before]:
                self._ask(statement)
            alone = ScriptBatch(text, statement_s=statement_s)
            self._send(SentBatch(alone))
        finally:
            if self._connection.is_open:
                self._ask(";".join(_FORGET))

    def query(self, statement: str, values: Mapping[str, SqlValue] | None = None) -> list[Row]:
        if values is None and statement == self._asked:
            self._asked = ""
            return self._answer(SentBatch(ScriptBatch(statement)), self._query_s, keep_rows=True)
        self._settle()
        if values is None:
            return self._ask(statement)
        text, bound = bind(statement, values)
        self._connection.send_with(text, bound)
        return self._answer(SentBatch(ScriptBatch(text)), self._query_s, keep_rows=True)

    def rollback(self) -> None:
        if self._connection.is_open and self._asked:
            self._forget_asked()
        if self._connection.is_open and not self._connection.is_idle:
            self._ask("ROLLBACK")

    def _introduce(self) -> int:
        """Learn the server's process, and whether it can watch that we are still there."""
        with contextlib.suppress(ScriptError):  # before 14, or not on Linux
            ours = self._ask(f"BEGIN; SET LOCAL {_WATCH}; SELECT pg_backend_pid(); ROLLBACK")
            self._watch = _WATCH
            return int(ours[0][0])
        return int(self._ask("SELECT pg_backend_pid()")[0][0])

    def _settle(self) -> None:
        """Set the formats of strings and times, whatever a role or a database defaults to."""
        if not self._connection.is_open:
            raise self._lost("the connection is gone")
        if self._asked:
            self._forget_asked()
        if self._connection.parameter("standard_conforming_strings") == "off":
            self._ask("SET standard_conforming_strings = on")
        if not self._connection.parameter("DateStyle").startswith("ISO"):
            self._ask("SET datestyle = ISO")

    def _forget_asked(self) -> None:
        self._asked = ""
        try:
            _Answers(self._connection, Deadline.after(self._clock, self._query_s)).drain()
        except libpq.NoAnswerError as error:
            raise self._lost(f"no answer within {self._query_s:g} s") from error

    def _ask(self, statement: str) -> list[Row]:
        self._connection.send(statement)
        return self._answer(SentBatch(ScriptBatch(statement)), self._query_s, keep_rows=True)

    def _send(self, sent: SentBatch) -> None:
        if "\0" in sent.message.text:
            raise ScriptError("cannot send a NUL byte", why="PostgreSQL's texts end there")
        text, statement_s = sent.text, sent.message.statement_s
        self._connection.send(text)
        # Answers may be held back to the end, so what each may take is added up.
        limit_s = math.inf if statement_s is None else (text.count(";") + 1) * statement_s
        self._answer(sent, limit_s + _ANSWER_S)

    def _answer(self, sent: SentBatch, limit_s: float, *, keep_rows: bool = False) -> list[Row]:
        deadline = Deadline.after(self._clock, limit_s)
        answers = _Answers(self._connection, deadline, keep_rows=keep_rows)
        try:
            answers.collect(sent)
        except libpq.NoAnswerError as error:
            raise self._lost(f"no answer within {limit_s:g} s") from error
        except KeyboardInterrupt:
            self._stop()
            raise
        if answers.error is None:
            return answers.rows
        refusal = self._translated(sent, answers.error, answers)
        self.rollback()
        raise refusal

    def _translated(self, sent: SentBatch, reported: Diagnosis, answers: "_Answers") -> OpsctlError:
        why = f"{reported.message} ({reported.detail})" if reported.detail else reported.message
        if not self._connection.is_open:
            return self._lost(why)
        meaning = by_state(reported.sqlstate) or STATEMENT
        found = sent.find(reported, answered=answers.count, fed=answers.fed)
        return ScriptError(
            meaning.what.format(address=self._address),
            why=why,
            hint=reported.hint or meaning.hint,
            sqlstate=reported.sqlstate,
            stage=found.stage,
            position=found.position,
            statement=found.statement,
            context=reported.context,
            constraint=reported.constraint,
        )

    def _lost(self, why: str) -> UnreachableError:
        return UnreachableError(LOST.what.format(address=self._address), why=why, hint=LOST.hint)

    def _stop(self) -> None:
        """Cancel the running statement, and roll back."""
        deadline = Deadline.after(self._clock, _STOP_S)
        try:
            within(deadline, self._connection.cancel)
            _Answers(self._connection, deadline).drain()
            self.rollback()
        # Whoever interrupts wants out: what is still open ends with the connection.
        except (TimeoutError, libpq.NoAnswerError, OpsctlError):
            self._connection.close()


class _Answers:
    """What came back for one message."""

    def __init__(
        self, connection: libpq.LibpqConnection, deadline: Deadline, *, keep_rows: bool = False
    ) -> None:
        self._connection = connection
        self._deadline = deadline
        self._keep_rows = keep_rows
        self.count = 0
        """Statements that are done."""
        self.fed = 0
        """The number of statements that asked for data."""
        self.rows: list[Row] = []
        self.error: Diagnosis | None = None

    def collect(self, sent: SentBatch) -> None:
        data = sent.data()
        for result in self._connection.results(self._deadline):
            if result.status == libpq.ResultStatus.COPY_IN:
                self._feed(next(data, None))
            elif result.status == libpq.ResultStatus.COPY_OUT:
                self._connection.swallow(self._deadline)
            else:
                self._note(result)

    def drain(self) -> None:
        for result in self._connection.results(self._deadline):
            if result.status == libpq.ResultStatus.COPY_IN:
                self._connection.starve("interrupted", self._deadline)
            elif result.status == libpq.ResultStatus.COPY_OUT:
                self._connection.swallow(self._deadline)

    def _feed(self, data: str | None) -> None:
        self.fed += 1
        if data is None:
            self._connection.starve("no data follows in the file", self._deadline)
        else:
            self._connection.feed(data.encode(), self._deadline)

    def _note(self, result: libpq.LibpqResult) -> None:
        if result.is_done:
            self.count += 1
            if self._keep_rows and result.status == libpq.ResultStatus.ROWS:
                kinds = result.kinds()
                self.rows = [read_row(kinds, texts) for texts in result.rows()]
        elif result.status != libpq.ResultStatus.EMPTY and self.error is None:
            self.error = result.diagnosis()
