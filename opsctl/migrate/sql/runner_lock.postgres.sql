SELECT 'pid ' || a.pid || ' (' || concat_ws(', ', a.usename, nullif(a.application_name, ''), host(a.client_addr))
       || ') since ' || to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.pid <> pg_backend_pid() AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.locktype = 'advisory' AND (l.classid::bigint << 32 | l.objid::bigint) = %(key)s
       OR l.relation = to_regclass('opsctl.opsctl_migrations') AND l.mode = 'RowExclusiveLock')
ORDER BY l.locktype
LIMIT 1
