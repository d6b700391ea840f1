"""For each rule over files: one project that breaks it, and one that does not."""

from opsctl.policy.project import EnvironmentSettings, GitState
from opsctl.systems.git.history import Rewrite
from tests.unit.policy.projects import Case, migration

FIRST = migration("CREATE TABLE a (x int);")
# Put together here, so that no tool takes them for real.
AWS = "AKIA" + "QX7ZP2MLT4VN6RSD"
RANDOM = "f9Kq2" + "Zr81LmP0w"
SERVER = "150.230" + ".11.7"
LEFT, RIGHT = "<" * 7, ">" * 7


def _branch(**facts: object) -> dict[str, GitState]:
    return {"branch": GitState(is_repository=True, **facts)}  # type: ignore[arg-type]  # as given


def _experiment(*changed: str) -> dict[str, GitState]:
    return _branch(experiment="the branch exp/a is checked out", changed=changed, rewrites=())


CASES: dict[str, Case] = {
    "ddl-in-python": Case(
        {"a.py": 'run("CREATE TABLE ticks (x int)")'},
        {"a.py": "run(\"SELECT to_regclass('ticks')\")"},
    ),
    "ddl-outside-migrations": Case(
        {"db/setup.sql": "CREATE TABLE a (x int);"}, {"db/seed.sql": "INSERT INTO a VALUES (1);"}
    ),
    "migration-untracked": Case(
        FIRST, FIRST, bad_facts=_branch(rewrites=(), tracked=frozenset({"README.md"}))
    ),
    "migration-rewritten": Case(
        FIRST,
        FIRST,
        bad_facts=_branch(rewrites=(Rewrite("migrations/001_a.sql", "was edited"),)),
    ),
    "migration-number": Case(
        FIRST | migration("", "001_b.sql"), FIRST | migration("", "002_b.sql")
    ),
    "migration-gap": Case(FIRST | migration("", "004_b.sql"), FIRST | migration("", "002_b.sql")),
    "migration-name": Case(migration("", "initial.sql"), migration("", "001_initial.down.sql")),
    "migration-unreadable": Case(
        migration("\\i other.sql\n"), migration("SELECT $$ \\i no command here $$;")
    ),
    "migration-transaction": Case(
        migration("BEGIN;\nSELECT 1;\nCOMMIT;"),
        migration("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$;"),
    ),
    "migration-not-null": Case(
        migration("ALTER TABLE a ADD COLUMN b int NOT NULL;"),
        migration("ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT 0;"),
    ),
    "migration-lock": Case(
        migration("ALTER TABLE a ALTER COLUMN b TYPE bigint;"),
        migration("ALTER TABLE a ALTER COLUMN b SET DEFAULT 1;"),
    ),
    "migration-index-lock": Case(
        migration("CREATE INDEX i ON ticks (x);"),
        migration("CREATE TABLE ticks (x int);\nCREATE INDEX i ON ticks (x);"),
    ),
    "migration-loses-data": Case(
        migration("ALTER TABLE a DROP COLUMN b;"), migration("DELETE FROM a WHERE x = 1;")
    ),
    "secret-in-file": Case(
        {"configs/a.yaml": f"aws: {AWS}\n"}, {"configs/a.yaml": "aws: ${AWS_ACCESS_KEY}\n"}
    ),
    "secret-env-tracked": Case({".env": "A=b\n"}, {".env.example": "A=\n"}),
    "secret-in-settings": Case(
        {"configs/opsctl.yaml": "redis:\n  password: x\n"},
        {},
        bad_facts={
            "environments": EnvironmentSettings(
                secrets_in_files=(("redis.password", "configs/opsctl.yaml:2"),)
            )
        },
    ),
    "merge-marker": Case(
        {"docs/a.md": f"a\n{LEFT} Updated upstream\n=======\n{RIGHT} Stashed changes\n"},
        {"docs/a.md": "Title\n=======\n"},
    ),
    "public-ip": Case(
        {"docs/a.md": f"The server is {SERVER}."},
        {"docs/a.md": "The server is <SERVER_IP>, or 203.0.113.7, or 10.0.0.3; version 2.19.3.1"},
    ),
    "public-ip-in-settings": Case(
        {"configs/prod.yaml": f"host: {SERVER}\n"}, {"configs/prod.yaml": "host: 127.0.0.1\n"}
    ),
    "host-by-address": Case(
        {"docs/a.md": f"ssh ubuntu@{SERVER}"}, {"docs/a.md": "ssh ubuntu@stock-monitor-prod"}
    ),
    "kafka-client": Case(
        {"pyproject.toml": '[project]\ndependencies = ["confluent_kafka>=2"]\n'},
        {"pyproject.toml": '[project]\ndependencies = ["redis>=5"]  # not kafka\n'},
    ),
    "number-in-code": Case(
        {"app/feed.py": "RECONNECT_TIMEOUT = 30\n"},
        {"app/feed.py": '"""\nRECONNECT_TIMEOUT = 30\n"""\nNAME = "x"\n'},
    ),
    "parameters-elsewhere": Case({"app/config.yaml": "a: 1\n"}, {"configs/app.yaml": "a: 1\n"}),
    "experiment-touches-production": Case(
        {"configs/prod.yaml": ""},
        {"configs/dev.yaml": ""},
        _experiment("configs/prod.yaml"),
        _experiment("configs/dev.yaml"),
    ),
    "experiment-redis-index": Case(
        {"a.py": 'Redis.from_url("redis://localhost:6379/3")'},
        {"a.py": 'Redis.from_url("redis://localhost:6379/12")'},
        _experiment("a.py"),
        _experiment("a.py"),
    ),
    "broker-plan": Case(
        {"configs/brokers.yaml": "brokers:\n  kis:\n    sockets: 2\n    symbols: 40\n"},
        {"configs/brokers.yaml": "brokers:\n  kis:\n    sockets: 1\n    symbols: 40\n"},
    ),
    "broker-rate": Case(
        {"configs/opsctl.yaml": "limits:\n  kis_rest: 21/s\n"},
        {"configs/opsctl.yaml": "limits:\n  kis_rest: 20/s\n"},
    ),
    "settings-invalid": Case(
        {"configs/prod.yaml": "redis:\n"},
        {},
        bad_facts={
            "environments": EnvironmentSettings(errors={"prod": "configs/prod.yaml:1: it is wrong"})
        },
    ),
    "file-unread": Case({}, {}, bad_facts={"unread": (("big.bin", "it is too large"),)}),
    "test-run-caps": Case(
        {"Makefile": "test:\n\tdocker run --rm app pytest\n"},
        {"Makefile": "test:\n\tdocker run --rm --cpus 0.5 --memory 512m app pytest\n"},
    ),
}
