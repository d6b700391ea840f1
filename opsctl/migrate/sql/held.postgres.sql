SELECT l.relation::regclass::text, regexp_replace(l.mode, '(?<=[a-z])(?=[A-Z])', ' ', 'g'),
       greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
FROM pg_locks AS l
JOIN pg_class AS c ON c.oid = l.relation
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p', 'm', 'f')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'opsctl'
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ShareUpdateExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock', 'RowExclusiveLock')
ORDER BY 1, 2
