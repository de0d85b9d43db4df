-- Several credentials of more than one kind, who may register again, what is revoked or to be renewed as a whole.

-- S for a secret, P for a public key, which is in public_key (a JWK) and has no hash.
ALTER TABLE credential ADD COLUMN IF NOT EXISTS kind CHAR(1) DEFAULT 'S' NOT NULL;
ALTER TABLE credential MODIFY COLUMN secret_hash BINARY(32) NULL;
ALTER TABLE credential ADD COLUMN IF NOT EXISTS public_key VARCHAR(500);

-- What its first use retires: a key, which then ends after so many milliseconds; * for every other one at once; null for nothing.
ALTER TABLE credential ADD COLUMN IF NOT EXISTS replaces VARCHAR(64);
ALTER TABLE credential ADD COLUMN IF NOT EXISTS overlap BIGINT;

-- How many milliseconds it is good from its first use on; null for ever.
ALTER TABLE credential ADD COLUMN IF NOT EXISTS lifetime BIGINT;

-- Written in batches, some time after.
ALTER TABLE credential ADD COLUMN IF NOT EXISTS last_used_at BIGINT;

-- Permissions to register once more, by operators. given_key is the credential that came of it; spent once the
-- device used anything new.
CREATE TABLE IF NOT EXISTS allowance (
    id         BINARY(16)   NOT NULL,
    fleet      VARCHAR(64)  NOT NULL,
    serial     VARCHAR(128) NOT NULL,
    reason     VARCHAR(200) NOT NULL,
    operator   VARCHAR(64)  NOT NULL,
    not_before BIGINT       NOT NULL,
    not_after  BIGINT       NOT NULL,
    given_key  VARCHAR(64),
    given_at   BIGINT,
    spent_at   BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS allowance_serial ON allowance (fleet, serial, id);

-- Replies that only the device can read that asked for them, kept for the case that they got lost.
CREATE TABLE IF NOT EXISTS sealed_reply (
    id         BINARY(32)  NOT NULL,
    access_key VARCHAR(64) NOT NULL,
    body       MEDIUMTEXT  NOT NULL,
    expires_at BIGINT      NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS sealed_reply_expiry ON sealed_reply (expires_at);

-- What operators order for all credentials of a fleet, a lot or a device that are older than the order: R, to be revoked; N, to be
-- renewed within a window. Never deleted.
CREATE TABLE IF NOT EXISTS credential_order (
    id         BINARY(16)   NOT NULL,
    kind       CHAR(1)      NOT NULL,
    fleet      VARCHAR(64)  NOT NULL,
    lot        VARCHAR(64),
    device_id  BINARY(16),
    issued_at  BIGINT       NOT NULL,
    not_before BIGINT       NOT NULL,
    not_after  BIGINT       NOT NULL,
    reason     VARCHAR(200) NOT NULL,
    operator   VARCHAR(64)  NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (id)
) ${table};

-- Access tokens that are no longer good although they have not expired: the key they were obtained with, and their jti.
CREATE TABLE IF NOT EXISTS revoked_token (
    access_key VARCHAR(64) NOT NULL,
    id         VARCHAR(64) NOT NULL,
    expires_at BIGINT      NOT NULL,
    PRIMARY KEY (access_key, id)
) ${table};

CREATE INDEX IF NOT EXISTS revoked_token_expiry ON revoked_token (expires_at);
