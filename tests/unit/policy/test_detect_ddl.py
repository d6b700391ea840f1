"""DDL is found however a program puts it together, and prose about DDL is not."""

import pytest

from opsctl.findings import Level
from opsctl.policy import detect_ddl
from tests.unit.policy.projects import found

HOSTILE = {
    "plain": 'db.execute("CREATE TABLE a (x int)")',
    "small letters": 'db.execute("create table if not exists a (x int)")',
    "many lines": 'db.execute("""\n    -- a note\n    ALTER TABLE a\n      ADD COLUMN b int\n""")',
    "f-string": 'name = input()\ndb.execute(f"DROP TABLE {name}")',
    "f-string of constants": 'verb = "DROP"\nwhat = "TABLE"\ndb.execute(f"{verb} {what} a")',
    "verb apart": 'db.execute("CREATE " + "TABLE a (x int)")',
    "cut in two": 'db.execute("CRE" + "ATE TABLE a (x int)")',
    "side by side": 'db.execute("CREATE "\n           "TABLE a (x int)")',
    "a long sum": 'db.execute("CREATE" + " " + "TABLE" + " " + name + " (x int)")',
    "percent": 'db.execute("CREATE %s a (x int)" % "TABLE")',
    "percent of a name": 'db.execute("CREATE TABLE %s (x int)" % name)',
    "format": 'db.execute("{} TABLE a (x int)".format("CREATE"))',
    "format by name": 'db.execute("{verb} TABLE a".format(verb="DROP"))',
    "join": 'db.execute(" ".join(["ALTER", "TABLE", "a", "ADD", "b", "int"]))',
    "constant": 'DDL = "CREATE INDEX i ON a (x)"\ndb.execute(DDL)',
    "grown": 'sql = "CREATE "\nsql += "TABLE a (x int)"\ndb.execute(sql)',
    "in a function": 'def f():\n    sql = "DROP "\n    sql += "SCHEMA a"\n    db.execute(sql)',
    "second statement": 'db.execute("SELECT 1; DROP TABLE a")',
    "composed": 'db.execute(sql.SQL("CREATE TABLE {}").format(sql.Identifier(name)))',
    "bytes of a comment": 'db.execute("/* x */ CREATE UNIQUE INDEX i ON a (x)")',
    "plpgsql": 'db.execute("DO $$ BEGIN CREATE TABLE a (x int); END $$")',
    "dynamic": "db.execute(\"DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$\")",
    "hypertable": "db.execute(\"SELECT create_hypertable('a', 'time')\")",
    "policy": "db.execute(\"SELECT add_retention_policy('a', INTERVAL '1 day')\")",
    "view": 'db.execute("CREATE MATERIALIZED VIEW v AS SELECT 1")',
    "or replace": 'db.execute("CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ $$")',
    "role": 'db.execute("ALTER ROLE app SET x = 1")',
    "default of an argument": 'def f(sql="DROP TABLE a"):\n    db.execute(sql)',
    "sqlalchemy": "Base.metadata.create_all(engine)",
    "alembic": "from alembic import op\nop.add_column('a', c)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ddl_is_found_in_python(name: str) -> None:
    findings = found("ddl-in-python", {"a.py": HOSTILE[name]})

    assert [finding.level for finding in findings][:1] == [Level.CRITICAL]


HARMLESS = {
    "asks": "db.execute(\"SELECT to_regclass('public.a')\")",
    "docstring": '"""CREATE TABLE a (x int)"""',
    "docstring of a function": 'def f():\n    """DROP TABLE a"""',
    "comment": "# CREATE TABLE a (x int)",
    "prose": 'raise Error("could not create table a in time")',
    "prose at the start": 'log("Create a table first")',
    "button": 'label = "Create user"',
    "keys": 'methods = {"create": 1, "alter": 2, "drop": 3, "table": 4}',
    "inserts": 'db.execute("INSERT INTO a VALUES (1)")',
    "dataframe": "frame.drop(columns=['a'])",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_speaks_of_ddl_is_let_pass(name: str) -> None:
    assert found("ddl-in-python", {"a.py": HARMLESS[name]}) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_the_quick_look_never_says_no_to_ddl(name: str) -> None:
    assert detect_ddl.may_contain_ddl(HOSTILE[name].lower())


@pytest.mark.parametrize(
    "text",
    [
        'x = "CREATE TABLE a"\n' + "(" * 5000,
        'x = "CREATE TABLE a"\nprint "python 2"',
        'x = "CREATE TABLE a"\n\x00',
        'x = "CREATE TABLE a"\n' + "-" * 100_000 + "1",
    ],
)
def test_what_cannot_be_read_is_told_and_not_taken_for_clean(text: str) -> None:
    (finding, *_) = found("ddl-in-python", {"a.py": text})

    assert finding.level is Level.UNKNOWN


def test_a_sum_of_ten_thousand_parts_ends_well() -> None:
    text = "x = " + " + ".join(['"a"'] * 3_000) + ' + "; DROP TABLE a"'

    findings = found("ddl-in-python", {"a.py": text})

    assert findings


def test_a_finding_points_at_the_line() -> None:
    findings = found("ddl-in-python", {"a.py": '\n\nrun("DROP TABLE a")\n'})

    assert [(f.file, f.line, f.what) for f in findings] == [("a.py", 3, "DROP TABLE in Python")]
