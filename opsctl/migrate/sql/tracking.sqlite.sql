CREATE TABLE IF NOT EXISTS opsctl_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    applied_by text NOT NULL DEFAULT '',
    duration_ms integer,
    opsctl_version text,
    git_sha text,
    finished boolean NOT NULL DEFAULT true
);
