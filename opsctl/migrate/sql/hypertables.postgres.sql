SELECT 'hypertable', format('%I.%I', h.hypertable_schema, h.hypertable_name),
       format('SELECT create_hypertable(%L, by_range(%L, %s), create_default_indexes => false)',
              format('%I.%I', h.hypertable_schema, h.hypertable_name), d.column_name,
              coalesce(format('INTERVAL %L', d.time_interval), d.integer_interval::text))
FROM timescaledb_information.hypertables AS h
JOIN timescaledb_information.dimensions AS d
  ON d.hypertable_schema = h.hypertable_schema AND d.hypertable_name = h.hypertable_name
WHERE d.dimension_number = 1
ORDER BY 2
