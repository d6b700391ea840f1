-- Releases in the order in which they were begun, whatever the clock said.
ALTER TABLE releases ADD COLUMN number INTEGER;
UPDATE releases SET number = rowid;
CREATE UNIQUE INDEX releases_by_number ON releases (number);
CREATE INDEX releases_by_env_and_number ON releases (env, number);
-- By a trigger: an opsctl that is still running does not know the column.
CREATE TRIGGER releases_count AFTER INSERT ON releases WHEN NEW.number IS NULL
BEGIN
    UPDATE releases SET number = (SELECT coalesce(max(number), 0) + 1 FROM releases)
    WHERE rowid = NEW.rowid;
END;
