SELECT json_agg(json_build_array(version, name, checksum, finished) ORDER BY version)::text
FROM opsctl.opsctl_migrations
