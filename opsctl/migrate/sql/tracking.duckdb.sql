CREATE TABLE IF NOT EXISTS opsctl_migrations (
    version bigint PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT '',
    duration_ms bigint,
    opsctl_version text,
    git_sha text,
    finished boolean NOT NULL DEFAULT true
);
