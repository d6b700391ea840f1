"""What status, verify, adopt, down and dump say, on every kind of database."""

import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from opsctl.errors import UsageError
from opsctl.findings import Level
from opsctl.migrate.adopt import accept_edited, forget_missing, plan_adoption, record_adoption
from opsctl.migrate.down import choose_reverts, prepare_reverts, revert_files
from opsctl.migrate.dump import format_schema
from opsctl.migrate.model import ApplyOptions, MigrationError, MigrationState, RefusedMigrationError
from opsctl.migrate.verify import verify_database
from tests.fakes.git import ToldGit
from tests.migration_setup import MigrationSetup, set_up_migrations

TABLE = "CREATE TABLE {name} (id integer PRIMARY KEY, body text);\n"


def two_applied(here: MigrationSetup) -> None:
    here.write("001_a.sql", TABLE.format(name="a"))
    here.write("003_c.sql", TABLE.format(name="c"))
    here.apply()


def test_every_state_is_recognized(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    anywhere.write("001_a.sql", f"{TABLE.format(name='a')}-- edited\n")
    anywhere.write("002_b.sql", TABLE.format(name="b"))
    anywhere.write("004_d.sql", TABLE.format(name="d"))
    anywhere.write("005_e.sql", TABLE.format(name="e"))
    (anywhere.directory / "003_c.sql").unlink()

    states = anywhere.states()

    assert states == [
        MigrationState.EDITED,
        MigrationState.OUT_OF_ORDER,
        MigrationState.MISSING,
        MigrationState.PENDING,
        MigrationState.PENDING,
    ]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("edit", MigrationState.EDITED),
        ("remove", MigrationState.MISSING),
        ("come late", MigrationState.OUT_OF_ORDER),
    ],
)
def test_files_and_rows_that_disagree_stop_a_run(
    anywhere: MigrationSetup, change: str, state: MigrationState
) -> None:
    two_applied(anywhere)
    anywhere.write("004_d.sql", TABLE.format(name="d"))
    if change == "edit":
        anywhere.write("001_a.sql", f"{TABLE.format(name='a')}-- edited\n")
    elif change == "remove":
        (anywhere.directory / "001_a.sql").unlink()
    else:
        anywhere.write("002_b.sql", TABLE.format(name="b"))

    with pytest.raises(RefusedMigrationError, match=f"is {state}") as refused:
        anywhere.apply()

    assert refused.value.exit_code == 5
    assert anywhere.tables() == ["a", "c"]


def test_a_late_file_runs_when_that_is_allowed(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    anywhere.write("002_b.sql", TABLE.format(name="b"))

    anywhere.apply(ApplyOptions(allow_out_of_order=True))

    assert anywhere.states() == [MigrationState.APPLIED] * 3


def test_a_database_ahead_of_the_files_is_accepted(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    (anywhere.directory / "003_c.sql").unlink()

    outcome = anywhere.apply()

    assert outcome.applied == ()
    assert outcome.notes == ("the database is ahead of these files: 3_c",)


def test_an_edit_can_be_accepted_and_a_lost_file_forgotten(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    anywhere.write("001_a.sql", f"{TABLE.format(name='a')}-- edited\n")
    (anywhere.directory / "003_c.sql").unlink()

    with anywhere.context.open_tracking_table() as tracking:
        accept_edited(anywhere.context, tracking, [1])
        forget_missing(tracking, [3])

    assert anywhere.states() == [MigrationState.APPLIED]


def test_what_has_no_row_cannot_be_accepted_or_forgotten(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    with anywhere.context.open_tracking_table() as tracking:
        with pytest.raises(UsageError):
            accept_edited(anywhere.context, tracking, [1, 2])
        with pytest.raises(UsageError):
            forget_missing(tracking, [2])

    assert anywhere.rows() == [1, 3]


def test_a_schema_that_matches_the_files_has_no_drift(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)

    with anywhere.context.open_tracking_table() as tracking:
        verdict = verify_database(anywhere.context, tracking, ToldGit(), schema=True)

    assert [finding.level for finding in verdict.findings] == [Level.OK, Level.OK]


def test_a_manual_change_is_found_and_shown(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    anywhere.execute("ALTER TABLE a ADD COLUMN sneaky integer")
    anywhere.execute("CREATE TABLE rogue (id integer)")
    anywhere.execute("DROP TABLE c")

    with anywhere.context.open_tracking_table() as tracking:
        verdict = verify_database(anywhere.context, tracking, ToldGit(), schema=True)

    told = [finding.what for finding in verdict.findings if finding.level is Level.CRITICAL]
    assert len([what for what in told if what.startswith("table")]) == 3
    assert any("rogue is in the database but in no file" in what for what in told)
    assert any("c is missing in the database" in what for what in told)
    assert any("sneaky" in line for drift in verdict.drifts for line in drift.diff)


def test_files_that_do_not_build_an_empty_database_are_named(anywhere: MigrationSetup) -> None:
    anywhere.execute("CREATE TABLE old (id integer)")
    anywhere.write("001_a.sql", "\nALTER TABLE old ADD COLUMN body text;\n")
    anywhere.apply()

    with anywhere.context.open_tracking_table() as tracking:
        verdict = verify_database(anywhere.context, tracking, ToldGit(None), schema=True)

    schema = verdict.findings[-1]
    assert schema.level is Level.UNKNOWN
    assert "001_a.sql:2:" in schema.what
    assert "--no-schema" in schema.fix


def test_an_embedded_database_that_has_no_room_to_compare_says_where_to_make_some(
    embedded: MigrationSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.write("001_a.sql", TABLE.format(name="a"))
    embedded.apply()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    with embedded.context.open_tracking_table() as tracking:
        verdict = verify_database(embedded.context, tracking, ToldGit(None), schema=True)

    schema = verdict.findings[-1]
    assert schema.level is Level.UNKNOWN
    assert "TMPDIR" in schema.fix
    assert "CREATEDB" not in schema.fix


def test_a_role_that_may_not_make_databases_is_told_what_it_lacks(
    server: MigrationSetup, tmp_path: Path
) -> None:
    name = f"r_{uuid4().hex[:12]}"
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    server.execute(f"GRANT CREATE ON DATABASE {server.url.rpartition('/')[2]} TO {name}")
    address = server.url.rpartition("@")[2]
    poor = set_up_migrations(
        server.kind, f"postgresql://{name}:x@{address}", tmp_path / "migrations"
    )
    poor.write("001_a.sql", "SELECT 1;\n")
    poor.apply()
    try:
        with poor.context.open_tracking_table() as tracking:
            verdict = verify_database(poor.context, tracking, ToldGit(None), schema=True)
    finally:
        server.execute(f"DROP OWNED BY {name}")
        server.execute(f"DROP ROLE {name}")

    assert "CREATEDB" in verdict.findings[-1].fix


def test_a_dump_comes_out_the_same_whatever_the_order_of_making(anywhere: MigrationSetup) -> None:
    for name in "cab":
        anywhere.execute(TABLE.format(name=name))
        anywhere.execute(f"CREATE INDEX i{name} ON {name} (body)")

    with anywhere.context.open_tracking_table() as tracking:
        tracking.create()
        text = format_schema(anywhere.context.dialect.read_schema(tracking.session))

    places = [text.index(f"INDEX i{name}") for name in "abc"]
    assert places == sorted(places)
    assert "opsctl_migrations" not in text


def test_down_reverts_the_last_file_and_deletes_its_row(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    anywhere.write("003_c.down.sql", "DROP TABLE c;\n")

    with anywhere.context.open_tracking_table() as tracking:
        files = prepare_reverts(
            anywhere.context, choose_reverts(anywhere.statuses(), to=None, step=None)
        )
        revert_files(anywhere.context, tracking, files, anywhere.events.append)

    assert anywhere.tables() == ["a"]
    assert anywhere.rows() == [1]


def test_a_down_file_with_a_byte_order_mark_is_read(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    anywhere.write("003_c.down.sql", "\ufeffDROP TABLE c;\n")

    with anywhere.context.open_tracking_table() as tracking:
        files = prepare_reverts(
            anywhere.context, choose_reverts(anywhere.statuses(), to=None, step=None)
        )
        revert_files(anywhere.context, tracking, files, anywhere.events.append)

    assert anywhere.tables() == ["a"]


def test_a_down_file_that_fails_changes_nothing(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)
    anywhere.write("003_c.down.sql", "DROP TABLE c;\nSELECT nope;\n")

    with anywhere.context.open_tracking_table() as tracking:
        files = prepare_reverts(
            anywhere.context, choose_reverts(anywhere.statuses(), to=None, step=None)
        )
        with pytest.raises(MigrationError, match=r"^003_c\.down\.sql:2:"):
            revert_files(anywhere.context, tracking, files, anywhere.events.append)

    assert anywhere.tables() == ["a", "c"]
    assert anywhere.rows() == [1, 3]


def test_a_file_without_a_down_file_cannot_be_reverted(anywhere: MigrationSetup) -> None:
    two_applied(anywhere)

    with pytest.raises(RefusedMigrationError, match=r"cannot revert 003_c\.sql"):
        choose_reverts(anywhere.statuses(), to=0, step=None)


def adopted(
    setup: MigrationSetup, *, to: int | None = None, source: str | None = None
) -> list[int]:
    with setup.context.open_tracking_table() as tracking:
        record_adoption(
            setup.context,
            tracking,
            plan_adoption(setup.context, tracking, to=to, source=source),
        )
    return setup.rows()


def three_files(set_up_migrations: MigrationSetup) -> None:
    for number, name in enumerate("abc", start=1):
        set_up_migrations.write(f"00{number}_{name}.sql", TABLE.format(name=name))


def test_a_baseline_records_without_running(anywhere: MigrationSetup) -> None:
    three_files(anywhere)

    assert adopted(anywhere, to=2) == [1, 2]

    assert anywhere.tables() == []
    assert anywhere.states() == [
        MigrationState.APPLIED,
        MigrationState.APPLIED,
        MigrationState.PENDING,
    ]


def test_the_list_of_a_shell_script_is_adopted(anywhere: MigrationSetup) -> None:
    three_files(anywhere)
    anywhere.write(".applied", "# by hand\n001_a.sql\nmigrations/003_c.sql 2026-01-12\n\n")

    assert adopted(anywhere) == [1, 3]


def test_dbmates_table_is_adopted(anywhere: MigrationSetup) -> None:
    three_files(anywhere)
    anywhere.execute("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)")
    anywhere.execute("INSERT INTO schema_migrations VALUES ('001'), ('002')")

    assert adopted(anywhere) == [1, 2]


def test_golang_migrates_table_is_adopted(anywhere: MigrationSetup) -> None:
    three_files(anywhere)
    anywhere.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean)")
    anywhere.execute("INSERT INTO schema_migrations VALUES (2, false)")

    assert adopted(anywhere) == [1, 2]


def test_a_dirty_database_is_not_adopted(anywhere: MigrationSetup) -> None:
    three_files(anywhere)
    anywhere.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean)")
    anywhere.execute("INSERT INTO schema_migrations VALUES (2, true)")

    with pytest.raises(RefusedMigrationError, match="from golang-migrate") as refused:
        adopted(anywhere)

    assert "dirty" in refused.value.why


def test_two_sources_need_a_choice_and_none_needs_a_number(anywhere: MigrationSetup) -> None:
    three_files(anywhere)
    with pytest.raises(UsageError, match="cannot find anything to adopt"):
        adopted(anywhere)
    anywhere.write(".applied", "001_a.sql\n")
    anywhere.execute("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)")
    anywhere.execute("INSERT INTO schema_migrations VALUES ('003')")
    with pytest.raises(UsageError, match=r"cannot choose between \.applied and dbmate"):
        adopted(anywhere)

    assert adopted(anywhere, source="dbmate") == [3]
