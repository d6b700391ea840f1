-- What must survive a restart. Later files may only add: an opsctl that is still running
-- still uses the tables as it knows them.
-- Times are UTC, written as 2026-01-31T09:30:00.000000+00:00, so that they sort as text.
-- Secrets are never stored: every value is masked before it is passed in.

CREATE TABLE releases (
    id TEXT PRIMARY KEY,
    env TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    git_sha TEXT NOT NULL,
    git_subject TEXT NOT NULL,
    who TEXT NOT NULL,
    outcome TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX releases_by_env ON releases (env, started_at);

CREATE TABLE release_steps (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    release_id TEXT NOT NULL REFERENCES releases (id),
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    event TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX release_steps_by_release ON release_steps (release_id);
CREATE TRIGGER release_steps_keep_values BEFORE UPDATE ON release_steps
BEGIN
    SELECT RAISE(ABORT, 'release_steps is append-only');
END;
CREATE TRIGGER release_steps_keep_rows BEFORE DELETE ON release_steps
BEGIN
    SELECT RAISE(ABORT, 'release_steps is append-only');
END;
-- INSERT OR REPLACE deletes without firing the trigger above.
CREATE TRIGGER release_steps_keep_numbers BEFORE INSERT ON release_steps
WHEN EXISTS (SELECT 1 FROM release_steps WHERE number = NEW.number)
BEGIN
    SELECT RAISE(ABORT, 'release_steps is append-only');
END;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id TEXT NOT NULL,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    sudo_user TEXT,
    pid INTEGER NOT NULL,
    env TEXT NOT NULL,
    command TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('started', 'done', 'failed', 'refused', 'interrupted')),
    details TEXT NOT NULL
) STRICT;
-- An action is an intent, and later at most one outcome.
CREATE UNIQUE INDEX audit_intent ON audit (action_id) WHERE outcome = 'started';
CREATE UNIQUE INDEX audit_outcome ON audit (action_id) WHERE outcome <> 'started';
CREATE INDEX audit_by_env ON audit (env, number);
CREATE TRIGGER audit_keep_values BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
CREATE TRIGGER audit_keep_rows BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
-- INSERT OR REPLACE deletes without firing the trigger above.
CREATE TRIGGER audit_keep_numbers BEFORE INSERT ON audit
WHEN EXISTS (
    SELECT 1 FROM audit
    WHERE number = NEW.number
        OR (action_id = NEW.action_id AND (outcome = 'started') = (NEW.outcome = 'started'))
)
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TABLE job_runs (
    job TEXT NOT NULL,
    scheduled_utc TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    exit_code INTEGER,
    details TEXT NOT NULL,
    UNIQUE (job, scheduled_utc)
) STRICT;

CREATE TABLE alerts (
    key TEXT PRIMARY KEY,
    severity TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('raised', 'cleared')),
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    count INTEGER NOT NULL,
    summary TEXT NOT NULL
) STRICT;

CREATE TABLE samples (
    series TEXT NOT NULL,
    at TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE watchdog (
    service TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;

CREATE TABLE watchdog_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT NOT NULL,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX watchdog_events_by_service ON watchdog_events (service, number);
