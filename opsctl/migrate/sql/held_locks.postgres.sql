WITH ranks (mode, rank) AS (
    VALUES ('RowExclusiveLock', 1), ('ShareUpdateExclusiveLock', 2), ('ShareLock', 3),
           ('ShareRowExclusiveLock', 4), ('ExclusiveLock', 5), ('AccessExclusiveLock', 6)
)
SELECT DISTINCT ON (l.relation::regclass::text)
       l.relation::regclass::text, regexp_replace(l.mode, '(?<=[a-z])(?=[A-Z])', ' ', 'g'),
       greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
FROM pg_locks AS l
JOIN ranks AS r ON r.mode = l.mode
JOIN pg_class AS c ON c.oid = l.relation
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p', 'm', 'f')
  AND n.nspname !~ '^(pg_|_timescaledb_)' AND n.nspname <> 'opsctl'
ORDER BY l.relation::regclass::text, r.rank DESC
