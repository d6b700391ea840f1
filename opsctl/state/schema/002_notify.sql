-- Notifications and their recipients, removed raw logs, and the last time the clock was trusted.

-- What the readers of a key know, so that each problem is reported once, and its end as well.
CREATE TABLE notices (
    key TEXT PRIMARY KEY,
    changed_at TEXT NOT NULL,
    memory TEXT NOT NULL
) STRICT;

-- One row per message and channel; rows are removed only by age.
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    key TEXT NOT NULL,
    made_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    message TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('waiting', 'sending', 'sent', 'refused', 'withdrawn')),
    bundle TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    ended_at TEXT,
    problem TEXT
) STRICT;
CREATE INDEX deliveries_by_status ON deliveries (status, channel, number);
CREATE INDEX deliveries_by_key ON deliveries (key, status);

CREATE TABLE channels (
    name TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    next_try_at TEXT NOT NULL,
    problem TEXT
) STRICT;

-- Written before files are removed, closed afterwards; an open row means that the run was killed.
CREATE TABLE removals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    at TEXT NOT NULL,
    folder BLOB NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    listing BLOB,
    gone_files INTEGER,
    gone_bytes INTEGER,
    ended_at TEXT
) STRICT;
CREATE INDEX removals_by_run ON removals (run, number);
CREATE INDEX removals_open ON removals (number) WHERE ended_at IS NULL;

CREATE TABLE clock_marks (
    name TEXT PRIMARY KEY,
    wall TEXT NOT NULL,
    steady_s REAL NOT NULL,
    boot TEXT NOT NULL
) STRICT;
