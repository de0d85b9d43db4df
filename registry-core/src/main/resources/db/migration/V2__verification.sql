-- Policies of fleets, lots and states of expected serials, enrolment keys, and what may be used once only.

CREATE TABLE IF NOT EXISTS fleet (
    name       VARCHAR(64) NOT NULL,
    version    BIGINT      NOT NULL,
    document   MEDIUMTEXT  NOT NULL,
    updated_at BIGINT      NOT NULL,
    PRIMARY KEY (name)
) ${table};

-- Why a serial is blocked; null for one that is not.
ALTER TABLE expected_serial ADD COLUMN IF NOT EXISTS reason VARCHAR(200);

-- False for a row that only blocks: it was never in a list of expected serials, and ends with its block.
ALTER TABLE expected_serial ADD COLUMN IF NOT EXISTS listed BOOLEAN DEFAULT TRUE NOT NULL;

CREATE INDEX IF NOT EXISTS expected_serial_state ON expected_serial (fleet, state, serial);

-- The state too, so that a lot's blocked serials are counted without its rows.
CREATE INDEX IF NOT EXISTS expected_serial_lot ON expected_serial (fleet, lot, serial, state);

-- Every lot that a listed serial was ever in; never deleted. What writes expected serials of a fleet holds the fleet's row
-- without a name until its end, and counts.
CREATE TABLE IF NOT EXISTS lot (
    fleet      VARCHAR(64) NOT NULL,
    name       VARCHAR(64) NOT NULL,
    expected   INT,
    not_before BIGINT,
    not_after  BIGINT,
    paused     BOOLEAN     NOT NULL,
    imported   BIGINT      NOT NULL,
    PRIMARY KEY (fleet, name)
) ${table};

INSERT INTO lot (fleet, name, paused, imported)
    SELECT fleet, lot, FALSE, COUNT(*) FROM expected_serial WHERE lot <> '' AND NOT EXISTS (SELECT 1 FROM lot) GROUP BY fleet, lot;

-- The key itself is encrypted under the master key. Rows are never deleted: devices keep the id of the key they came with.
CREATE TABLE IF NOT EXISTS enrolment_key (
    id         VARCHAR(64)     NOT NULL,
    fleet      VARCHAR(64)     NOT NULL,
    sealed_key VARBINARY(1000) NOT NULL,
    not_before BIGINT,
    not_after  BIGINT,
    max_uses   BIGINT,
    uses       BIGINT          NOT NULL,
    revoked_at BIGINT,
    created_at BIGINT          NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS enrolment_key_fleet ON enrolment_key (fleet, id);

-- What may be used once: ids of one-time tokens, nonces. Kept until it could not be used anyway.
CREATE TABLE IF NOT EXISTS used_once (
    id         VARBINARY(32) NOT NULL,
    fleet      VARCHAR(64)   NOT NULL,
    serial     VARCHAR(128)  NOT NULL,
    expires_at BIGINT        NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS used_once_expiry ON used_once (expires_at);
