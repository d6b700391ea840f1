SELECT a.pid,
       concat_ws(', ', a.usename, nullif(a.application_name, ''), host(a.client_addr), a.state),
       left(regexp_replace(coalesce(a.query, ''), '\s+', ' ', 'g'), 200),
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start, a.backend_start))::float8
FROM unnest(pg_blocking_pids(CAST(%(pid)s AS integer))) AS b (pid)
JOIN pg_stat_activity AS a ON a.pid = b.pid
ORDER BY 4 DESC
