WITH shown AS (
    SELECT n.oid, n.nspname
    FROM pg_namespace AS n
    WHERE n.nspname <> 'information_schema' AND n.nspname <> 'opsctl'
      AND n.nspname !~ '^(pg_|_timescaledb_|timescaledb_)'
),
owned AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
things AS (
    SELECT 1 AS place, 'extension' AS kind, extname::text AS name,
           format('CREATE EXTENSION IF NOT EXISTS %I', extname) AS definition
    FROM pg_extension
    WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT 2, 'schema', nspname::text, format('CREATE SCHEMA %I', nspname)
    FROM shown
    WHERE nspname <> 'public' AND ('pg_namespace'::regclass, oid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT 3, 'enum', format('%I.%I', s.nspname, t.typname),
           format('CREATE TYPE %I.%I AS ENUM (%s)', s.nspname, t.typname,
                  (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
                   FROM pg_enum WHERE enumtypid = t.oid))
    FROM pg_type AS t
    JOIN shown AS s ON s.oid = t.typnamespace
    WHERE t.typtype = 'e' AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT 3, 'domain', format('%I.%I', s.nspname, t.typname),
           format('CREATE DOMAIN %I.%I AS %s%s%s%s', s.nspname, t.typname,
                  format_type(t.typbasetype, t.typtypmod),
                  CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
                  coalesce(' DEFAULT ' || t.typdefault, ''),
                  coalesce((SELECT string_agg(' ' || pg_get_constraintdef(c.oid), '' ORDER BY c.conname)
                            FROM pg_constraint AS c
                            WHERE c.contypid = t.oid AND c.contype = 'c'), ''))
    FROM pg_type AS t
    JOIN shown AS s ON s.oid = t.typnamespace
    WHERE t.typtype = 'd' AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT CASE WHEN l.lanname IN ('sql') THEN 9 ELSE 4 END,
           CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
           format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
           rtrim(pg_get_functiondef(p.oid), E' \n')
    FROM pg_proc AS p
    JOIN shown AS s ON s.oid = p.pronamespace
    JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.prokind IN ('f', 'p')
      AND ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT 5, 'sequence', format('%I.%I', s.nspname, c.relname),
           format('CREATE SEQUENCE %I.%I AS %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s%s',
                  s.nspname, c.relname, format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement,
                  q.seqmin, q.seqmax, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END)
    FROM pg_class AS c
    JOIN shown AS s ON s.oid = c.relnamespace
    JOIN pg_sequence AS q ON q.seqrelid = c.oid
    WHERE NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('i', 'e'))
    UNION ALL
    SELECT 6, CASE WHEN c.relkind = 'f' THEN 'foreign table' ELSE 'table' END,
           format('%I.%I', s.nspname, c.relname),
           format(E'CREATE %sTABLE %I.%I (\n%s\n)%s',
                  CASE WHEN c.relkind = 'f' THEN 'FOREIGN ' WHEN c.relpersistence = 'u' THEN 'UNLOGGED ' ELSE '' END,
                  s.nspname, c.relname,
                  (SELECT string_agg(
                       format('    %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                              CASE WHEN a.attcollation <> t.typcollation
                                   THEN format(' COLLATE %s', a.attcollation::regcollation) ELSE '' END,
                              CASE WHEN a.attgenerated = 's' THEN
                                       format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                                   WHEN a.attidentity <> '' THEN
                                       format(' GENERATED %s AS IDENTITY',
                                              CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END)
                                   WHEN d.adbin IS NOT NULL THEN
                                       format(' DEFAULT %s', pg_get_expr(d.adbin, d.adrelid))
                                   ELSE '' END,
                              CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END),
                       E',\n' ORDER BY a.attnum)
                   FROM pg_attribute AS a
                   JOIN pg_type AS t ON t.oid = a.atttypid
                   LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                  CASE WHEN c.relkind = 'p' THEN format(' PARTITION BY %s', pg_get_partkeydef(c.oid)) ELSE '' END)
    FROM pg_class AS c
    JOIN shown AS s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
      AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT 7, 'partition', format('%I.%I', s.nspname, c.relname),
           format('CREATE TABLE %I.%I PARTITION OF %s %s%s', s.nspname, c.relname,
                  (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = c.oid),
                  pg_get_expr(c.relpartbound, c.oid),
                  CASE WHEN c.relkind = 'p' THEN format(' PARTITION BY %s', pg_get_partkeydef(c.oid)) ELSE '' END)
    FROM pg_class AS c
    JOIN shown AS s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relispartition
    UNION ALL
    SELECT CASE WHEN k.contype = 'f' THEN 11 ELSE 8 END, 'constraint',
           format('%I.%I %I', s.nspname, c.relname, k.conname),
           format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', s.nspname, c.relname, k.conname,
                  pg_get_constraintdef(k.oid))
    FROM pg_constraint AS k
    JOIN pg_class AS c ON c.oid = k.conrelid
    JOIN shown AS s ON s.oid = c.relnamespace
    WHERE k.contype IN ('p', 'u', 'c', 'f', 'x') AND k.conparentid = 0 AND k.conislocal
      AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT 10, 'index', format('%I.%I', s.nspname, c.relname),
           pg_get_indexdef(c.oid) || CASE WHEN i.indisvalid THEN '' ELSE ' /* INVALID */' END
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN shown AS s ON s.oid = c.relnamespace
    WHERE NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
      AND ('pg_class'::regclass, i.indrelid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT 12, CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,
           format('%I.%I', s.nspname, c.relname),
           format(E'CREATE %s %I.%I AS\n%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
                  s.nspname, c.relname, rtrim(pg_get_viewdef(c.oid), '; '))
    FROM pg_class AS c
    JOIN shown AS s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM owned)
    UNION ALL
    SELECT 13, 'trigger', format('%I.%I %I', s.nspname, c.relname, t.tgname), pg_get_triggerdef(t.oid)
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN shown AS s ON s.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgname <> 'ts_insert_blocker'
    UNION ALL
    SELECT 14, 'policy', format('%I.%I %I', schemaname, tablename, policyname),
           format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s%s%s', policyname, schemaname, tablename,
                  permissive, cmd, array_to_string(roles, ', '),
                  coalesce(format(' USING (%s)', qual), ''), coalesce(format(' WITH CHECK (%s)', with_check), ''))
    FROM pg_policies
    UNION ALL
    SELECT 15, 'comment', format('%I.%I%s', s.nspname, c.relname, coalesce('.' || a.attname, '')),
           format('COMMENT ON %s %I.%I%s IS %L',
                  CASE WHEN a.attname IS NOT NULL THEN 'COLUMN'
                       ELSE CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                                           WHEN 'i' THEN 'INDEX' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END END,
                  s.nspname, c.relname, coalesce('.' || quote_ident(a.attname), ''), d.description)
    FROM pg_description AS d
    JOIN pg_class AS c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    JOIN shown AS s ON s.oid = c.relnamespace
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    WHERE ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM owned)
)
SELECT kind, name, definition
FROM things
ORDER BY place, kind COLLATE "C", name COLLATE "C"
