"""PostgreSQL, by psycopg and by libpq."""
