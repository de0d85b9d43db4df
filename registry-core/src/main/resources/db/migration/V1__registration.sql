-- Each statement of a migration can be repeated: a start that is killed in the middle begins the file again.
-- Runs on MariaDB and on H2. ${table} is the storage engine and the collation on MariaDB: utf8mb4_nopad_bin, because every
-- other collation makes one row of several spellings of a serial. Times are milliseconds since 1970, UTC.
-- Rows of devices and credentials are never deleted, so there are no foreign keys: they would only lock parents.

CREATE TABLE IF NOT EXISTS device (
    id         BINARY(16)    NOT NULL,
    fleet      VARCHAR(64)   NOT NULL,
    serial     VARCHAR(128)  NOT NULL,
    state      CHAR(1)       NOT NULL,
    name       VARCHAR(200),
    attributes TEXT,
    created_at BIGINT        NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT device_serial UNIQUE (fleet, serial)
) ${table};

CREATE INDEX IF NOT EXISTS device_state ON device (fleet, state, id);

CREATE TABLE IF NOT EXISTS device_tag (
    device_id BINARY(16)   NOT NULL,
    name      VARCHAR(64)  NOT NULL,
    text      VARCHAR(256) NOT NULL,
    PRIMARY KEY (device_id, name)
) ${table};

CREATE INDEX IF NOT EXISTS device_tag_text ON device_tag (name, text, device_id);

-- Also the record of the admission it was issued by: when, and to which address.
CREATE TABLE IF NOT EXISTS credential (
    access_key   VARCHAR(64) NOT NULL,
    device_id    BINARY(16)  NOT NULL,
    secret_hash  BINARY(32)  NOT NULL,
    state        CHAR(1)     NOT NULL,
    origin       VARCHAR(64) NOT NULL,
    created_at   BIGINT      NOT NULL,
    expires_at   BIGINT,
    confirmed_at BIGINT,
    PRIMARY KEY (access_key)
) ${table};

CREATE INDEX IF NOT EXISTS credential_device ON credential (device_id);

CREATE TABLE IF NOT EXISTS expected_serial (
    fleet      VARCHAR(64)  NOT NULL,
    serial     VARCHAR(128) NOT NULL,
    state      CHAR(1)      NOT NULL,
    name       VARCHAR(200),
    lot        VARCHAR(64),
    tags       TEXT,
    attributes TEXT,
    PRIMARY KEY (fleet, serial)
) ${table};

-- What was decided beside admissions, which are the credentials. When is in the id, a UUIDv7.
CREATE TABLE IF NOT EXISTS audit_event (
    id        BINARY(16)   NOT NULL,
    type      VARCHAR(32)  NOT NULL,
    fleet     VARCHAR(64),
    serial    VARCHAR(128),
    device_id BINARY(16),
    who       VARCHAR(64)  NOT NULL,
    detail    VARCHAR(500),
    PRIMARY KEY (id)
) ${table};

CREATE TABLE IF NOT EXISTS operator (
    id         BINARY(16)   NOT NULL,
    name       VARCHAR(64)  NOT NULL,
    token_hash BINARY(32)   NOT NULL,
    rights     VARCHAR(500) NOT NULL,
    state      CHAR(1)      NOT NULL,
    created_at BIGINT       NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT operator_name UNIQUE (name),
    CONSTRAINT operator_token UNIQUE (token_hash)
) ${table};

CREATE TABLE IF NOT EXISTS signing_key (
    generation  INT             NOT NULL,
    kid         VARCHAR(64)     NOT NULL,
    algorithm   VARCHAR(16)     NOT NULL,
    public_key  VARBINARY(1000) NOT NULL,
    private_key VARBINARY(1000) NOT NULL,
    created_at  BIGINT          NOT NULL,
    PRIMARY KEY (generation),
    CONSTRAINT signing_key_kid UNIQUE (kid)
) ${table};

-- What other nodes must forget; by the clock of the database, so that the clocks of nodes do not matter.
CREATE TABLE IF NOT EXISTS change_log (
    id      BIGINT       NOT NULL AUTO_INCREMENT,
    at      TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    subject VARCHAR(80)  NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS change_log_at ON change_log (at);
