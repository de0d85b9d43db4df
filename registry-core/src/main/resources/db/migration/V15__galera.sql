-- Locks that Galera certifies: it compares what transactions changed, and not what they locked. Who locks a row counts up
-- times_locked of it. These statements are immediate on MariaDB, whatever the size of the table.
ALTER TABLE device ADD COLUMN IF NOT EXISTS times_locked BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE owned_serial ADD COLUMN IF NOT EXISTS times_locked BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE lot ADD COLUMN IF NOT EXISTS times_locked BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE fleet ADD COLUMN IF NOT EXISTS times_locked BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE signing_key_lock ADD COLUMN IF NOT EXISTS times_locked BIGINT DEFAULT 0 NOT NULL;
