"""What the lexer takes for a statement, PostgreSQL takes for one."""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import pq

from opsctl.sql.lexer import SqlScript, read_script
from tests.engines.databases import create_database, drop_database
from tests.engines.postgres import PostgresServer

Answer = tuple[str, list[list[bytes | None]]]
# Everything that could end a statement, a quotation or a comment where it must not.
TRICKS = (
    "'", '"', "$", "$$", "$a$", ";", "--", "/*", "*/", "\\", "E'",
    "é", "end", "(", ")", "\n", " ", "a", "1",
)  # fmt: skip


def tricks(*, without: str = "") -> st.SearchStrategy[str]:
    return st.lists(
        st.sampled_from([trick for trick in TRICKS if trick not in without.split("|")]), max_size=8
    ).map("".join)


def nested(inside: str) -> str:
    """Close every comment that the text opens, and open every one that it closes."""
    depth = rest = 0
    while rest < len(inside) - 1:
        pair = inside[rest : rest + 2]
        if pair == "*/" and depth == 0:
            return nested(inside[:rest] + " " + inside[rest + 2 :])
        depth += {"/*": 1, "*/": -1}.get(pair, 0)
        rest += 2 if pair in {"/*", "*/"} else 1
    return f"/*{inside} {'*/' * (depth + 1)}"


# A comment ends with its line; a lone return would end it too.
line_comments = tricks(without="\n").map(lambda inside: f"--{inside}\n")
block_comments = tricks().map(nested)
blanks = st.sampled_from([" ", "\n", "\t", "\r\n"])
gaps = st.lists(st.one_of(blanks, line_comments, block_comments), max_size=3).map(
    lambda parts: " " + "".join(parts)
)
plain = tricks().map(lambda inside: "'" + inside.replace("'", "''") + "'")
escaped = tricks().map(lambda i: "E'" + i.replace("\\", "\\\\").replace("'", "\\'") + "'")
doubled = tricks().map(lambda i: "e'" + i.replace("\\", "\\\\").replace("'", "''") + "'")
dollared = tricks().filter(lambda i: "$$" not in f"{i}$").map("$${}$$".format)
tagged = tricks().filter(lambda i: "$a$" not in f"{i}$b$").map("$a${}$b$ $a$".format)
continued = st.builds(
    "{}\n{}".format,
    escaped,
    tricks(without="\\").map(lambda i: "'" + i.replace("'", "''") + "\\''"),
)
national = tricks().map(lambda inside: "N'" + inside.replace("'", "''") + "'")
numbers = st.sampled_from(["1", "1.5e3", "(1 - -1)", "3 / 2 * 1", "(ARRAY[1,2,3])[1:2]", "1::text"])
texts = st.one_of(plain, escaped, doubled, dollared, tagged, continued, national, numbers)
names = st.one_of(
    st.sampled_from(["a", "a$b$c", "é", "e", "begin", "_x1", "atomic"]),
    tricks(without="é").map(lambda inside: '"x' + inside.replace('"', '""') + '"'),
)


@st.composite
def selects(draw: st.DrawFn) -> str:
    columns = [
        f"{draw(texts)}{draw(gaps)}AS{draw(gaps)}{draw(names)}{draw(gaps)}"
        for _ in range(draw(st.integers(1, 3)))
    ]
    return f"SELECT{draw(gaps)}{','.join(columns)}"


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Functions with statements inside: `CASE` ends too, and columns may be called end."""
    head = f"CREATE{draw(gaps)}OR REPLACE{draw(gaps)}FUNCTION f() RETURNS text LANGUAGE sql"
    inner = ["SELECT CASE WHEN true THEN 'a' END", "SELECT 'a' AS end", "SELECT 'a' end"]
    chosen = draw(st.lists(st.sampled_from(inner) | selects(), min_size=1, max_size=3))
    body = "".join(f"{draw(gaps)}{statement};" for statement in [*chosen, "SELECT 'last'"])
    return f"{head}{draw(gaps)}BEGIN{draw(gaps)}ATOMIC{body}{draw(gaps)}END"


@st.composite
def prepare_options(draw: st.DrawFn) -> str:
    between = f"{draw(gaps)};{draw(gaps)}"
    actions = between.join(["NOTIFY told", "NOTIFY again"])
    return f"CREATE OR REPLACE RULE r AS ON INSERT TO ruled DO ALSO ({actions})"


blocks = tricks().map(
    lambda i: f"DO $do$ BEGIN PERFORM '{i.replace(chr(39), chr(39) * 2)}'; NULL; END $do$"
)
statements = st.one_of(selects(), bodies(), prepare_options(), blocks)
ends = st.builds("{};{}".format, gaps, st.sampled_from(["", ";", " ; ;", "--;\n", "/*;*/"]))


@st.composite
def mixes(draw: st.DrawFn) -> tuple[str, int]:
    """Write several statements in one text; say how many."""
    wanted = draw(st.lists(statements, min_size=1, max_size=5))
    text = "".join(f"{draw(gaps)}{statement}{draw(ends)}" for statement in wanted)
    last = draw(st.one_of(st.just(""), selects()))
    return text + last, len(wanted) + bool(last)


@pytest.fixture(scope="module")
def connection(postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    database = create_database(postgres_server.admin)
    with database.connect() as connection:
        connection.execute("CREATE TABLE ruled (a int); CREATE TABLE other (a int)")
        yield connection
    drop_database(postgres_server.admin, database.dbname)


@settings(max_examples=300, deadline=None)
@given(mix=mixes())
def test_each_statement_is_one_to_postgres_and_answers_as_it_did_among_others(
    connection: psycopg.Connection, mix: tuple[str, int]
) -> None:
    text, count = mix

    script = read_script(text)

    together = answers(connection, text)
    assert script.syntax_errors == ()
    assert len(together) == count
    assert [non_transactional(connection, piece) for piece in pieces(script, text)] == together


@settings(max_examples=300, deadline=None)
@given(mix=mixes(), data=st.data())
def test_a_quotation_that_nothing_closes_is_one_to_both(
    connection: psycopg.Connection, mix: tuple[str, int], data: st.DataObject
) -> None:
    text = mix[0][: data.draw(st.integers(0, len(mix[0])))]

    script = read_script(text)

    assert bool(script.syntax_errors) == ("unterminated" in refusal(connection, text))


def answers(connection: psycopg.Connection, text: str) -> list[Answer]:
    """Send the whole as one message: the server alone finds the statements in it."""
    connection.pgconn.send_query(text.encode())
    results = list(iter(connection.pgconn.get_result, None))
    return [answer(result) for result in results if result.status != pq.ExecStatus.EMPTY_QUERY]


def non_transactional(connection: psycopg.Connection, text: str) -> Answer:
    """Send it in the way that takes no more than one statement."""
    return answer(connection.pgconn.exec_params(text.encode(), None))


def refusal(connection: psycopg.Connection, text: str) -> str:
    return connection.pgconn.exec_(text.encode()).error_message.decode()


def answer(result: pq.abc.PGresult) -> Answer:
    assert result.status in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}, (
        result.error_message.decode()
    )
    rows = [
        [result.get_value(row, column) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]
    return (result.command_status or b"").decode(), rows


def pieces(script: SqlScript, text: str) -> Iterator[str]:
    for statement in script.statements:
        yield text[statement.start.offset : statement.end]
