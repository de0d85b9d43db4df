-- The name of a revoked operator that had to give it away to a new one, and has its id as its name since then.
ALTER TABLE operator ADD COLUMN IF NOT EXISTS former_name VARCHAR(64);
