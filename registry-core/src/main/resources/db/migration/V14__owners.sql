-- Whom devices belong to. A row belongs to a serial and not to a device, because a serial can be claimed before its device
-- registers. It stays when the device is released: then nobody is in it. user_key and group_key are SHA-256 over issuer and
-- subject, and over issuer and group; they are what lists are read by.
CREATE TABLE IF NOT EXISTS owned_serial (
    id         BINARY(16)   NOT NULL,
    fleet      VARCHAR(64)  NOT NULL,
    serial     VARCHAR(128) NOT NULL,
    provider   VARCHAR(64),
    issuer     VARCHAR(500),
    subject    VARCHAR(255),
    user_name  VARCHAR(200),
    group_name VARCHAR(255),
    user_key   BINARY(32),
    group_key  BINARY(32),
    name       VARCHAR(200),
    claimed_at BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT owned_serial_serial UNIQUE (fleet, serial)
) ${table};

CREATE INDEX IF NOT EXISTS owned_serial_user ON owned_serial (user_key, id);

CREATE INDEX IF NOT EXISTS owned_serial_group ON owned_serial (group_key, id);

-- Codes that claim one serial each. Only the hash is stored. kind: F from an import, M made by an operator, D for a device's
-- display, T for the next owner. A used code stays, so that its owner can present it again.
CREATE TABLE IF NOT EXISTS claim_code (
    hash       BINARY(32)   NOT NULL,
    fleet      VARCHAR(64)  NOT NULL,
    serial     VARCHAR(128) NOT NULL,
    kind       CHAR(1)      NOT NULL,
    created_at BIGINT       NOT NULL,
    expires_at BIGINT,
    used_at    BIGINT,
    PRIMARY KEY (hash)
) ${table};

CREATE INDEX IF NOT EXISTS claim_code_serial ON claim_code (fleet, serial);

CREATE INDEX IF NOT EXISTS claim_code_expires ON claim_code (expires_at);

-- Sign-ins at the claim page: any node serves any of them. The cookie's value is not stored, only its hash.
CREATE TABLE IF NOT EXISTS user_session (
    hash       BINARY(32)   NOT NULL,
    provider   VARCHAR(64)  NOT NULL,
    issuer     VARCHAR(500) NOT NULL,
    subject    VARCHAR(255) NOT NULL,
    user_name  VARCHAR(200),
    user_groups TEXT        NOT NULL,
    created_at BIGINT       NOT NULL,
    expires_at BIGINT       NOT NULL,
    PRIMARY KEY (hash)
) ${table};

CREATE INDEX IF NOT EXISTS user_session_expires ON user_session (expires_at);

-- A user is longer than the name of an operator, and a change of the owner has two of them.
ALTER TABLE audit_event MODIFY COLUMN who VARCHAR(320) NOT NULL;
ALTER TABLE audit_event MODIFY COLUMN detail VARCHAR(1200) NULL;

-- Whether a device is to be disconnected although its credentials are still good.
ALTER TABLE disconnection ADD COLUMN IF NOT EXISTS anew BOOLEAN DEFAULT FALSE NOT NULL;
