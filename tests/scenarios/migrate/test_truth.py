"""What the other verbs of migrate say and do, by the installed program."""

import subprocess
import sys
from pathlib import Path

from opsctl.migrate.model import MigrationState
from tests.scenarios.migrate.conftest import Stage

A = "CREATE TABLE a (id integer PRIMARY KEY, body text);\n"


def run_git(directory: Path, *words: str) -> None:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    subprocess.run(["git", *who, *words], cwd=directory, check=True, capture_output=True)


def test_verify_shows_what_was_edited_since_git_knew_it(anywhere: Stage) -> None:
    folder = anywhere.program.directory
    anywhere.write("001_a.sql", A)
    run_git(folder, "init", "-q", "-b", "main")
    run_git(folder, "add", "migrations")
    run_git(folder, "commit", "-qm", "First")
    assert anywhere().code == 0
    anywhere.write("001_a.sql", A.replace("body text", "body text, more text"))
    run_git(folder, "commit", "-qam", "Rewrite history")

    answer = anywhere("verify")

    assert answer.code == 3
    assert "-CREATE TABLE a (id integer PRIMARY KEY, body text);" in answer.out
    assert "+CREATE TABLE a (id integer PRIMARY KEY, body text, more text);" in answer.out
    assert "critical: table" in answer.out


def test_a_run_that_goes_well_has_nothing_to_say_on_stderr(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", A)

    answers = [anywhere(), anywhere(), anywhere("verify"), anywhere("dump")]

    assert [(answer.code, answer.err) for answer in answers] == [(0, "")] * 4


def test_status_exits_4_only_when_asked_and_something_is_pending(anywhere: Stage) -> None:
    anywhere.write("001_a.sql", A)

    codes = [anywhere("status").code, anywhere("status", "--exit-code").code]
    anywhere()
    codes.append(anywhere("status", "--exit-code").code)

    assert codes == [0, 4, 0]


def test_a_dry_run_changes_nothing_and_names_the_lock(server: Stage) -> None:
    server.write("001_a.sql", A)
    assert server().code == 0
    server.write("002_b.sql", "ALTER TABLE a ADD c integer;\n")

    planned = server("-n", "--exit-code")
    rehearsed = server("--rehearse")

    assert planned.code == 4
    assert "lock: ACCESS EXCLUSIVE on a (about 0 rows, " in planned.out
    assert "blocks reads and writes" in planned.out
    assert rehearsed.code == 0
    assert "rolled back; nothing was changed" in rehearsed.out
    assert server.setup.states() == [MigrationState.APPLIED, MigrationState.PENDING]


def test_new_takes_the_next_number_and_runs_as_it_is(anywhere: Stage) -> None:
    anywhere.write("0007_a.sql", A)

    answer = anywhere("new", "Add orders!", "--down")

    names = sorted(path.name for path in anywhere.setup.directory.iterdir())
    assert answer.code == 0
    assert names == ["0007_a.sql", "0008_add_orders.down.sql", "0008_add_orders.sql"]
    assert anywhere().code == 0


def test_down_asks_and_in_production_wants_the_name(file: Stage) -> None:
    file.write("001_a.sql", A)
    file.write("001_a.down.sql", "DROP TABLE a;\n")
    assert file("-e", "prod").code == 0

    unasked = file("down")
    wrong = file("down", "-e", "prod", "--yes")
    right = file("down", "-e", "prod", "--confirm", "prod")

    assert (unasked.code, wrong.code, right.code) == (2, 2, 0)
    assert "--confirm prod" in wrong.err
    assert file.setup.tables() == []


def test_an_experiment_does_not_migrate_production(file: Stage) -> None:
    folder = file.program.directory
    file.write("001_a.sql", A)
    run_git(folder, "init", "-q", "-b", "exp/idea")
    run_git(folder, "add", "migrations")
    run_git(folder, "commit", "-qm", "Try it")

    answer = file("-e", "prod")

    assert answer.code == 5
    assert file.setup.tables() == []
    assert file("-e", "dev").code == 0


def test_adopting_dbmates_database_runs_only_what_is_new(server: Stage) -> None:
    server.write("001_a.sql", A)
    server.write("002_b.sql", "CREATE TABLE b (id integer);\n")
    server.setup.execute("CREATE TABLE a (id integer PRIMARY KEY, body text)")
    server.setup.execute("CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")
    server.setup.execute("INSERT INTO schema_migrations VALUES ('001')")

    adopted = server("adopt", "--yes")
    run = server()

    assert adopted.code == run.code == 0
    assert "record 001_a.sql" in adopted.out
    assert server.setup.rows() == [1, 2]


def test_the_schema_file_is_written_after_a_run(file: Stage) -> None:
    file.program.write(
        "configs/opsctl.yaml", "project: {name: ticks}\nmigrations: {schema_file: schema.sql}\n"
    )
    file.write("001_a.sql", A)

    assert file().code == 0

    text = (file.program.directory / "schema.sql").read_text(encoding="utf-8")
    assert "CREATE TABLE a" in text


def test_a_missing_duckdb_is_reported_as_an_extra(file: Stage) -> None:
    start = (
        "import sys; sys.modules['duckdb'] = None; from opsctl.cli.root import root; root.main()"
    )
    environ = file.program.environ | {"DATABASE_URL": "duckdb:///data.duckdb"}

    done = subprocess.run(
        [sys.executable, "-c", start, "migrate", "status"],
        cwd=file.program.directory,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 6
    assert "pip install '.[duckdb]'" in done.stderr


def test_a_database_of_another_kind_is_named_as_a_wrong_address(file: Stage) -> None:
    answer = file("status", DATABASE_URL="mysql://root:s3cret@localhost/x")

    assert answer.code == 6
    assert "s3cret" not in answer.err


def test_pending_files_are_reported_when_a_run_stops_early(file: Stage) -> None:
    for number in (1, 2, 3):
        file.write(f"00{number}_f.sql", "SELECT 1;\n")

    answers = [file("--step", "1").out, file("--to", "1").out, file().out, file().out]

    last = [answer.splitlines()[-1] for answer in answers]
    assert last == [
        "1 file applied, 2 still pending",
        "nothing to do: 2 still pending",
        "2 files applied",
        "nothing to do: all files are applied",
    ]
