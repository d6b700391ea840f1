-- Ticks as the archiver stores them, in chunks by time.
CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE TABLE market_ticks (
    "time" timestamptz NOT NULL,
    symbol text NOT NULL,
    price double precision NOT NULL,
    volume double precision NOT NULL,
    change double precision
);

-- The index is named below, not left to TimescaleDB, so that later files can speak of it.
SELECT create_hypertable('market_ticks', by_range('time'), create_default_indexes => false);

CREATE INDEX market_ticks_time_idx ON market_ticks ("time" DESC);
