"""Each thing that today's tools get wrong, done right by the installed program."""

import json
from pathlib import Path

import pytest

from opsctl.migrate.model import MigrationState
from tests.engines.databases import Database
from tests.migration_setup import set_up_migrations
from tests.scenarios.conftest import Program
from tests.scenarios.migrate.conftest import Stage, Staged

A = "CREATE TABLE a (id integer PRIMARY KEY, body text);\n"


def test_a_file_is_called_applied_only_after_it_was(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", A)
    anywhere.write("002_b.sql", "SELECT nope FROM a;\n")

    answer = anywhere()

    assert answer.code == 1
    assert [line.split(" (")[0] for line in answer.out.splitlines()] == ["applied 001_a.sql"]
    assert answer.err.startswith("Error: 002_b.sql:1:")


def test_the_line_is_the_files_own_below_a_header(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", f"-- a header\n\n/* and\n more */\n{A}\nSELECT\n  nope\nFROM a;\n")

    answer = anywhere()

    line = 8 if anywhere.setup.is_server else 7
    assert f"Error: 001_a.sql:{line}:" in answer.err
    assert f"  {line} | " in answer.err
    assert "^" in answer.err


def test_an_applied_file_that_was_edited_or_deleted_is_refused(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", A)
    anywhere.write("002_b.sql", "SELECT 1;\n")
    assert anywhere().code == 0
    anywhere.write("001_a.sql", f"{A}-- later\n")

    edited = anywhere()
    (anywhere.setup.directory / "001_a.sql").unlink()
    deleted = anywhere()

    assert (edited.code, deleted.code) == (5, 5)
    assert "001_a.sql is edited" in edited.err
    assert "1_a is missing" in deleted.err


def test_nine_comes_before_ten(anywhere: Stage) -> None:
    anywhere.write("10_b.sql", "INSERT INTO a VALUES (10, 'ten');\n")
    anywhere.write("9_a.sql", A)

    answer = anywhere()

    names = [line.split()[1] for line in answer.out.splitlines() if line.startswith("applied")]
    assert names == ["9_a.sql", "10_b.sql"]


def test_two_files_with_one_number_are_refused(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", A)
    anywhere.write("01_b.sql", "SELECT 1;\n")

    answer = anywhere()

    assert answer.code == 5
    assert "001_a.sql and 01_b.sql have the same number" in answer.err
    assert anywhere.setup.tables() == []


def test_gaps_and_ignored_files_are_reported_on_stderr(file: Stage) -> None:
    file.write("001_a.sql", A)
    file.write("004_b.sql", "SELECT 1;\n")
    file.write("initial.sql", "SELECT 1;\n")

    answer = file()

    assert answer.code == 0
    assert "numbers are missing between 1 and 4: 2 to 3" in answer.err
    assert "initial.sql is ignored" in answer.err


def test_a_file_with_its_own_transaction_is_refused(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", f"BEGIN;\n{A}COMMIT;\nSELECT nope;\n")

    answer = anywhere()

    assert answer.code == 5
    assert "001_a.sql:1:1" in answer.err
    assert "BEGIN would separate the file from its tracking row" in answer.err
    assert anywhere.setup.tables() == []


def test_what_pg_dump_sets_does_not_reach_the_next_file(server: Stage) -> None:
    server.write("001_a.sql", "SELECT pg_catalog.set_config('search_path', '', false);\n")
    server.write("002_b.sql", A)

    assert server().code == 0
    assert server.setup.tables() == ["a"]


def test_two_runners_on_a_fresh_database_both_succeed(anywhere: Stage) -> None:
    for number in range(1, 21):
        anywhere.write(f"{number:03}_t.sql", f"CREATE TABLE t{number} (id integer);\n")
    # Each with a home of its own: no lock file between them, as on two machines.
    homes = [{"HOME": str(anywhere.program.directory.parent / f"home{i}")} for i in range(2)]
    runners = [anywhere.program.start("migrate", environ=anywhere.environ | home) for home in homes]

    ended = [(runner.communicate(timeout=60), runner.returncode) for runner in runners]

    assert [code for _, code in ended] == [0, 0], ended
    applied = "".join(out for (out, _), _ in ended).count("applied 0")
    assert applied == 20
    assert anywhere.setup.rows() == list(range(1, 21))


def test_a_syntax_error_at_the_end_runs_nothing(server: Stage) -> None:
    server.write("001_a.sql", f"{A}SELECT pg_sleep(0);\nCREATE TABEL b ();\n")

    answer = server()

    assert "001_a.sql:3:8: syntax error" in answer.err
    assert server.setup.tables() == []


def test_a_nul_byte_is_refused_with_its_place(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", f"{A}SELECT '\0';\n")

    answer = anywhere()

    assert answer.code == 5
    assert "001_a.sql:2:9" in answer.err
    assert anywhere.setup.tables() == []


def test_bytes_that_are_no_utf8_are_refused_with_their_line(file: Stage) -> None:
    (file.setup.directory / "001_a.sql").write_bytes(b"SELECT 1;\nSELECT 'caf\xe9';\n")

    answer = file()

    assert answer.code == 5
    assert "001_a.sql:2: cannot decode this as UTF-8" in answer.err


@pytest.mark.parametrize("command", ["\\i other.sql", "\\connect x", "SELECT 1 \\gexec"])
def test_commands_of_psql_are_refused_with_place_and_reason(server: Stage, command: str) -> None:
    server.write("001_a.sql", f"{A}{command}\n")

    answer = server()

    assert answer.code == 5
    assert "001_a.sql:2:" in answer.err
    assert "is a command of psql, not SQL" in answer.err
    assert server.setup.tables() == []


def test_the_down_part_of_another_tools_file_does_not_run(file: Stage) -> None:
    file.write("001_a.sql", f"-- migrate:up\n{A}-- migrate:down\nDROP TABLE a;\n")

    answer = file()

    assert answer.code == 5
    assert "001_a.sql:3:1" in answer.err
    assert file.setup.rows() == []


def test_sqlites_silent_pragma_is_refused(file: Stage) -> None:
    file.write("001_a.sql", f"PRAGMA foreign_keys = OFF;\n{A}")

    answer = file()

    assert answer.code == 5
    assert "silently ignores" in answer.err


def test_a_trigger_with_a_body_is_one_statement_to_sqlite(file: Stage) -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a WHERE id = 1;\nEND;\n"
    file.write("001_a.sql", f"{A}{trigger}INSERT INTO a VALUES (1, 'x');\n")

    assert file().code == 0
    assert file.setup.query("SELECT count(*) FROM a") == [(0,)]


def test_a_failing_continuous_aggregate_is_reported_with_its_line(staged: Staged) -> None:
    timescale = staged("timescale")
    timescale.write(
        "001_a.sql",
        "CREATE TABLE m (t timestamptz NOT NULL, v float8);\n"
        "SELECT create_hypertable('m', by_range('t'));\n"
        "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS\n"
        "SELECT time_bucket('1 hour', t), avg(v) FROM m GROUP BY 1;\n",
    )

    answer = timescale()

    assert answer.code == 1
    assert "Error: 001_a.sql:3:1: " in answer.err
    assert timescale.setup.tables() == []


def test_the_projects_own_first_file_runs_on_timescale(staged: Staged) -> None:
    timescale = staged("timescale")
    text = Path("migrations/001_initial.sql").read_text(encoding="utf-8")
    timescale.write("001_initial.sql", text)

    assert timescale().code == 0

    shown = timescale.setup.query("SELECT hypertable_name FROM timescaledb_information.hypertables")
    assert shown == [("market_ticks",)]
    assert timescale("verify").code == 0


def test_a_run_through_a_pooler_in_transaction_mode_is_a_run(
    opsctl: Program, pgbouncer: Database
) -> None:
    opsctl.write("configs/opsctl.yaml", "project: {name: ticks}\n")
    stage = Stage(
        opsctl, set_up_migrations("pgbouncer", pgbouncer.url, opsctl.directory / "migrations")
    )
    for number in range(1, 11):
        stage.write(f"{number:03}_t.sql", f"CREATE TABLE t{number} (id integer);\n")

    assert stage().code == 0
    assert stage("status", "--exit-code").code == 0
    assert stage.setup.states() == [MigrationState.APPLIED] * 10


def test_every_file_is_an_event_for_programs(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", A)
    anywhere.write("002_b.sql", "INSERT INTO a VALUES (1, 'x');\n")

    events = [json.loads(line) for line in anywhere("--json").out.splitlines()]

    assert [event["schema"] for event in events] == ["opsctl.migrate/1"] * 3
    assert [event.get("event") for event in events] == ["applied", "applied", None]
    assert [event["version"] for event in events[:2]] == [1, 2]
    assert events[2]["applied"] == ["001_a.sql", "002_b.sql"]


def test_an_error_is_an_event_for_programs(server: Stage) -> None:
    server.write("001_a.sql", f"{A}SELECT nope FROM a;\n")

    error = server("--json").json["error"]

    assert error["file"] == "001_a.sql"
    assert (error["line"], error["column"], error["sqlstate"]) == (2, 8, "42703")
    assert "left nothing behind" in error["state"]


def test_the_password_is_nowhere(server: Stage) -> None:
    server.write("001_a.sql", "SELECT nope;\n")

    answers = [server("-vv"), server("status"), server("--json"), server("verify")]

    shown = "".join(answer.out + answer.err for answer in answers)
    assert "p@ss" not in shown
    assert "p%40ss" not in shown


def test_a_database_that_does_not_answer_is_reported_as_unreachable(file: Stage) -> None:
    file.write("001_a.sql", A)

    answer = file(DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")

    assert answer.code == 7
    assert "127.0.0.1:1" in answer.err


def test_without_an_address_the_setting_is_named(file: Stage) -> None:
    answer = file(DATABASE_URL="")

    assert answer.code == 6
    assert "DATABASE_URL" in answer.err


def test_a_missing_directory_names_the_setting(file: Stage) -> None:
    file.setup.directory.rmdir()

    answer = file()

    assert answer.code == 6
    assert "migrate new" in answer.err
