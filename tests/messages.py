"""Files of SQL as messages to a real server, and a look at what they did."""

import pytest

from opsctl.sql.lexer import read_script
from opsctl.systems.clock import SystemClock
from opsctl.systems.postgres.scripts import LibpqScripts
from opsctl.systems.sql_scripts import ScriptBatch, ScriptError, ScriptSession
from tests.engines.databases import Database


def scripts(database: Database, *, query_s: float = 20) -> LibpqScripts:
    return LibpqScripts(database.url, clock=SystemClock(), query_s=query_s)


def message(
    text: str,
    *,
    begin: str = "BEGIN",
    before: tuple[str, ...] = (),
    after: str = "",
    end: str = "COMMIT",
) -> ScriptBatch:
    script = read_script(text)
    return ScriptBatch(
        text,
        copies=tuple((copied.start, copied.end, copied.after) for copied in script.copies),
        starts=tuple(statement.start.offset for statement in script.statements),
        begin=begin,
        before=before,
        after=after,
        end=end,
    )


def refusal(session: ScriptSession, asked: ScriptBatch) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        session.run(asked)
    return caught.value


def tables(session: ScriptSession) -> list[str]:
    found = session.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return sorted(name for (name,) in found)


def running(database: Database, text: str) -> list[int]:
    """Find who runs a text, among those whose own text does not say so."""
    with database.connect() as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
            " AND datname = current_database() AND query LIKE %s",
            [f"%{text}%"],
        )
        return [pid for (pid,) in found]
