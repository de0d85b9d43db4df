-- What an operator may do in which fleets, as JSON. Nodes of an earlier version read only rights, which has what is permitted in all
-- fleets; rows that they write have no grants. version counts changes.
ALTER TABLE operator ADD COLUMN IF NOT EXISTS grants VARCHAR(8000);
ALTER TABLE operator ADD COLUMN IF NOT EXISTS expires_at BIGINT;
ALTER TABLE operator ADD COLUMN IF NOT EXISTS last_used_at BIGINT;
ALTER TABLE operator ADD COLUMN IF NOT EXISTS version BIGINT DEFAULT 1 NOT NULL;

-- The token before the present one, and until when it works.
ALTER TABLE operator ADD COLUMN IF NOT EXISTS second_hash BINARY(32);
ALTER TABLE operator ADD COLUMN IF NOT EXISTS second_until BIGINT;
CREATE UNIQUE INDEX IF NOT EXISTS operator_second_token ON operator (second_hash);

-- Whether it once had a right at brokers that it has no more.
ALTER TABLE operator ADD COLUMN IF NOT EXISTS at_brokers BOOLEAN DEFAULT FALSE NOT NULL;
