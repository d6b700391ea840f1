SELECT format('%I.%I', n.nspname, c.relname), c.relname::text, t.relname::text
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p
                  WHERE p.pid <> pg_backend_pid() AND i.indexrelid = p.index_relid)
ORDER BY 1
