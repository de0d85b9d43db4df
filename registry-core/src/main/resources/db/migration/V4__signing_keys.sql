-- Signing keys that follow one another. A key is published from its row's creation to the end of the row, begins to sign at
-- not_before, and ends when the next generation begins. Where its private half is destroyed, nothing is sealed in private_key.

ALTER TABLE signing_key ADD COLUMN not_before BIGINT DEFAULT 0 NOT NULL;

-- The longest life of a token that it may have signed, in milliseconds; of an older row the longest that may be configured.
ALTER TABLE signing_key ADD COLUMN token_lifetime BIGINT DEFAULT 86400000 NOT NULL;

UPDATE signing_key SET not_before = created_at;
