SELECT kind, name, definition
FROM (
    SELECT 1 AS place, 'sequence' AS kind, schema_name || '.' || sequence_name AS name, sql AS definition
    FROM duckdb_sequences()
    UNION ALL
    SELECT 2, 'table', schema_name || '.' || table_name, sql
    FROM duckdb_tables()
    WHERE NOT internal AND table_name <> 'opsctl_migrations'
    UNION ALL
    SELECT 3, 'index', schema_name || '.' || index_name, sql
    FROM duckdb_indexes()
    UNION ALL
    SELECT 4, 'view', schema_name || '.' || view_name, sql
    FROM duckdb_views()
    WHERE NOT internal
) AS things
ORDER BY place, name;
