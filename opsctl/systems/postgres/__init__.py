"""PostgreSQL, with psycopg and with libpq."""
