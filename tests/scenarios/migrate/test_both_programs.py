"""One suite over the two programs that apply migrations: opsctl, and migrate.sh without Python."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.addresses import Address
from tests.engines.databases import Database
from tests.migrating import PROGRAMS, Site, end_family, family_of, is_alone, running, sleeping
from tests.waiting import wait_for

COPY = "COPY kept FROM stdin;\n1\tCOMMIT;\n2\t$$ \\\\i '\n\\.\n"
BODY = "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;"
BLOCK = "DO $do$ BEGIN PERFORM 'COMMIT;'; END $do$; -- \\i nothing\n/* BEGIN; /* */ COMMIT; */"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "configs").mkdir(parents=True)
    (made / "configs" / "opsctl.yaml").write_text("project: {name: tried}\n")
    (made / "migrations").mkdir()
    return made


@pytest.fixture(params=PROGRAMS)
def site(request: pytest.FixtureRequest, home: Path, postgres: Database) -> Site:
    return Site(home, postgres, request.param)


def test_files_run_in_the_order_of_their_numbers(site: Site) -> None:
    site.write(
        _1_first="CREATE TABLE kept (a int, b text);",
        _02_second="ALTER TABLE kept ADD c int;",
        _10_third="ALTER TABLE kept RENAME c TO d;",
    )

    code, out = site.run()

    assert code == 0, out
    assert site.versions() == [1, 2, 10]
    assert site.tables() == ["kept"]


def test_both_write_the_same_rows(home: Path, postgres: Database) -> None:
    site = Site(home, postgres, "opsctl")
    site.write(
        _1_mark=b"\xef\xbb\xbfCREATE TABLE kept (a int, b text);\r\n",
        _2_lines=b"SELECT 1;\r\nSELECT 2;\r",
        **{"_3_it's é": "SELECT 'é';", "_4_up.up": "SELECT 4;", "_5_empty": ""},
    )
    rows = []

    for program in PROGRAMS:
        code, out = site.by(program).run()
        assert code == 0, out
        rows.append(site.rows())
        with postgres.connect() as connection:
            connection.execute("DROP SCHEMA opsctl CASCADE; DROP TABLE kept")

    assert rows[0] == rows[1]
    assert [row[1] for row in rows[0]] == ["mark", "lines", "it's é", "up", "empty"]


def test_a_second_run_has_nothing_to_do(site: Site) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int);")
    site.run()

    code, out = site.run()

    assert code == 0
    assert "nothing to do" in out


def test_a_file_that_fails_leaves_nothing_and_keeps_what_came_before(site: Site) -> None:
    site.write(
        _1_kept="CREATE TABLE kept (a int);",
        _2_bad="CREATE TABLE torn (a int);\nSELECT 'é', nope;\n",
        _3_late="CREATE TABLE late (a int);",
    )

    code, out = site.run()

    assert code == 1
    assert site.tables() == ["kept"]
    assert site.versions() == [1]
    assert "2_bad.sql:2" in out
    assert "42703" in out


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 1;\nCOMMIT;", 2),
        ("CREATE TABLE torn (a int);;\n /* ; */ begin;", 2),
        ("SELECT E'\\'; ', '\n';\nROLLBACK;", 3),
        ("SELECT $a$ $$ $a$; END;", 1),
        ("START\nTRANSACTION;", 1),
        ("SELECT 1; SAVEPOINT a;", 1),
        ("PREPARE TRANSACTION 'x';", 1),
        ("COPY kept FROM stdin;\n1\tCOMMIT;\n\\.\nABORT;", 4),
        ("SELECT 1;\n\\i other.sql", 2),
        ("SELECT 1 \\gexec", 1),
        ("\\restrict abc\nSELECT 1;", 1),
        ("SELECT 1;\n-- \\i fine\n\\connect other", 3),
    ],
)
def test_transaction_control_is_refused_before_anything_runs(
    site: Site, text: str, line: int
) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int, b text);", _2_bad=text)

    code, out = site.run()

    assert code == 5, out
    assert site.tables() == []
    # A keyword pair is placed at either of its words.
    assert any(f"2_bad.sql:{at}" in out for at in (line, line + ("\nTRANS" in text))), out


@pytest.mark.parametrize(
    "text", [COPY, BODY, BLOCK, "SELECT 'a\\'; SELECT 1 AS begin, 2 AS \"COMMIT\";"]
)
def test_what_only_looks_dangerous_runs(site: Site, text: str) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int, b text);", _2_odd=text)

    code, out = site.run()

    assert code == 0, out
    assert site.versions() == [1, 2]


def test_settings_and_roles_of_one_file_do_not_reach_the_next(site: Site) -> None:
    site.write(
        _1_leak="SELECT set_config('search_path', '', false); SET ROLE pg_monitor;",
        _2_kept="CREATE TABLE kept (a int);",
    )

    code, out = site.run()

    assert code == 0, out
    assert site.tables() == ["kept"]


def test_a_dry_run_names_the_files_and_changes_nothing(site: Site) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int);", _2_more="CREATE TABLE more (a int);")

    code, out = site.run("-n")

    assert code == 0, out
    assert "1_kept" in out
    assert "2_more" in out
    assert (site.tables(), site.rows()) == ([], [])


def test_a_run_stops_after_the_version_that_was_asked_for(site: Site) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int);", _2_more="CREATE TABLE more (a int);")

    code, out = site.run("--to", "1")

    assert code == 0, out
    assert site.versions() == [1]


def test_an_unknown_version_is_a_usage_error(site: Site) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int);")

    code, _ = site.run("--to", "7")

    assert (code, site.tables()) == (2, [])


def test_status_shows_the_state_of_each_file(site: Site) -> None:
    site.write(_1_a="SELECT 1;", _3_c="SELECT 3;", _4_d="SELECT 4;")
    site.run()
    site.write(_2_b="SELECT 2;", _3_c="SELECT 33;", _5_e="SELECT 5;")
    site.remove("4_d")

    _, out = site.run("status")

    states = ["applied", "out of order", "edited", "missing", "pending"]
    rows = [line for line in out.splitlines() if line[:8].strip()[:1].isdecimal()]
    found = [state_in(line, states) for line in rows]
    assert found == states


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda site: site.write(_1_kept="SELECT 'edited';"), "edited"),
        (lambda site: site.remove("1_kept"), "missing"),
        (lambda site: site.write(_0_late="SELECT 1;"), "out of order"),
        (lambda site: site.write(_002_twice="SELECT 1;"), "same number"),
    ],
)
def test_files_and_rows_that_contradict_each_other_are_refused(
    site: Site, change: Callable[[Site], None], says: str
) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int);", _2_more="CREATE TABLE more (a int);")
    site.run()
    site.write(_3_next="CREATE TABLE next (a int);")

    change(site)
    code, out = site.run()

    assert code == 5, out
    assert says in out
    assert "next" not in site.tables()


def test_the_two_take_turns_on_one_database(home: Path, postgres: Database) -> None:
    site = Site(home, postgres, "opsctl")

    for number, program in enumerate(("migrate.sh", "opsctl", "migrate.sh", "opsctl"), start=1):
        site.write(**{f"_{number}_turn": f"CREATE TABLE t{number} (a int);"})
        code, out = site.by(program).run()
        assert code == 0, out

    assert site.versions() == [1, 2, 3, 4]
    assert site.tables() == ["t1", "t2", "t3", "t4"]


@pytest.mark.parametrize(
    "programs",
    [("opsctl", "opsctl"), ("migrate.sh", "migrate.sh"), ("opsctl", "migrate.sh", "migrate.sh")],
)
def test_runners_at_once_apply_each_file_once_and_none_fails(
    home: Path, postgres: Database, programs: Sequence[str]
) -> None:
    site = Site(home, postgres, "opsctl")
    site.write(**{f"_{number}_t": f"CREATE TABLE t{number} (a int);" for number in range(1, 13)})

    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda program: site.by(program).run(), programs))

    assert [code for code, _ in done] == [0] * len(programs), done
    assert site.versions() == list(range(1, 13))
    assert len(site.tables()) == 12


def test_a_run_through_a_pooler_works(site: Site, pgbouncer: Database) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int, b text);", _2_copy=COPY)

    code, out = replace(site, database=pgbouncer).run()

    assert code == 0, out
    assert site.versions() == [1, 2]


def test_a_run_that_was_killed_is_completed_by_the_next(site: Site) -> None:
    numbers = range(1, 41)
    site.write(**{f"_{number}_t": f"CREATE TABLE t{number} (a int);" for number in numbers})
    process = site.start()
    wait_for(lambda: len(site.versions()) > 3, 30, "some files to be applied")

    end_family(process)

    wait_for(lambda: is_alone(site.database), 60, "the server to notice")
    tables, rows = site.tables_and_rows()
    assert tables == rows
    other = next(name for name in PROGRAMS if name != site.program)
    code, out = site.by(other).run()
    assert code == 0, out
    assert site.versions() == list(numbers)
    assert len(site.tables()) == 40


def test_the_password_is_in_nobody_s_arguments(site: Site) -> None:
    site.write(_1_slow="SELECT pg_sleep(60);")
    process = site.start()

    with running(process):
        wait_for(lambda: sleeping(site.database), 30, "the file to run")
        shown = " ".join(word for member in family_of(process) for word in member.cmdline())

    assert "ss/word" not in shown
    assert "ss%2Fword" not in shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [("nonsense://x", 6), ("postgresql://u:p@ss@h:port/db", 6)],
)
def test_an_address_that_cannot_be_read_is_a_wrong_setting(
    site: Site, url: str, expected: int
) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int);")

    code, _ = site.run(DATABASE_URL=url)

    assert code == expected


def test_an_unreachable_server_exits_7(site: Site, dead_address: Address) -> None:
    site.write(_1_kept="CREATE TABLE kept (a int);")

    code, out = site.run(
        DATABASE_URL=f"postgresql://u:hush@{dead_address.host}:{dead_address.port}/d"
    )

    assert code == 7
    assert "hush" not in out


def test_a_file_is_retried_after_a_serialization_failure(site: Site) -> None:
    # A sequence keeps its value when the transaction is rolled back.
    with site.database.connect() as connection:
        connection.execute("CREATE SEQUENCE attempts")
    site.write(
        _1_once="DO $$ BEGIN IF nextval('attempts') = 1 THEN"
        " RAISE EXCEPTION 'once' USING ERRCODE = '40001'; END IF; END $$;"
    )

    code, out = site.run()

    assert code == 0, out
    assert site.versions() == [1]


def test_the_script_reports_a_file_that_ended_its_own_transaction(
    home: Path, postgres: Database
) -> None:
    site = Site(home, postgres, "migrate.sh")
    # Goes on an E'' string over a line's end, which the script reads as another kind of string.
    hidden = "SELECT E'a'\n'\\''; COMMIT; SELECT $$'$$ || $$''$$; SELECT 1/0;\n-- $$\n"
    site.write(_1_torn=f"CREATE TABLE torn (a int);\n{hidden}")

    code, out = site.run()

    assert code == 8, out
    assert "partly applied" in out
    assert [(row[0], row[3]) for row in site.rows()] == [(1, False)]
    assert site.by("opsctl").run()[0] == 5


def state_in(line: str, states: Sequence[str]) -> str:
    """Find the first; a note behind it may speak of others."""
    return min((state for state in states if state in line), key=line.index)
