-- Signing keys that follow one another. A key is published from its row's creation to the end of the row, begins to sign at
-- not_before, and ends when the next generation begins. Where its private half is destroyed, nothing is sealed in private_key.

ALTER TABLE signing_key ADD COLUMN IF NOT EXISTS not_before BIGINT DEFAULT 0 NOT NULL;

-- The longest life of a token that it may have signed, in milliseconds; of an older row the longest that may be configured.
ALTER TABLE signing_key ADD COLUMN IF NOT EXISTS token_lifetime BIGINT DEFAULT 86400000 NOT NULL;

UPDATE signing_key SET not_before = created_at;

-- Who adds keys or replaces them holds its one row until the end of the transaction; the rows of keys come and go.
CREATE TABLE IF NOT EXISTS signing_key_lock (
    id INT NOT NULL,
    PRIMARY KEY (id)
) ${table};

INSERT INTO signing_key_lock (id) SELECT 1 FROM (SELECT 1 AS one) AS nothing WHERE NOT EXISTS (SELECT 1 FROM signing_key_lock);
