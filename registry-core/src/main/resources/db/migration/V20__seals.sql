-- The seals of the record, their keys, and which record is in which seal. A record is an event or a credential; neither table
-- knows of seals, so that nobody who writes them waits for one who seals.

-- Current is the key that was not replaced. private_key and salt_key are encrypted under the master key; salts are made of the
-- latter for as long as there are records of the key's seals.
CREATE TABLE IF NOT EXISTS seal_key (
    kid         VARCHAR(64)    NOT NULL,
    public_key  VARBINARY(200) NOT NULL,
    private_key VARBINARY(300) NOT NULL,
    salt_key    VARBINARY(200) NOT NULL,
    created_at  BIGINT         NOT NULL,
    replaced_at BIGINT,
    PRIMARY KEY (kid)
) ${table};

CREATE TABLE IF NOT EXISTS seal (
    number    BIGINT        NOT NULL,
    records   INT           NOT NULL,
    root      BINARY(32)    NOT NULL,
    previous  BINARY(32)    NOT NULL,
    time_from BIGINT        NOT NULL,
    time_to   BIGINT        NOT NULL,
    sealed_at BIGINT        NOT NULL,
    kid       VARCHAR(64)   NOT NULL,
    signature VARBINARY(64) NOT NULL,
    PRIMARY KEY (number)
) ${table};

-- digest is that of the personal part, which may be erased. hash is the leaf.
CREATE TABLE IF NOT EXISTS sealed_event (
    id     BINARY(16) NOT NULL,
    seal   BIGINT     NOT NULL,
    place  INT        NOT NULL,
    digest BINARY(32) NOT NULL,
    hash   BINARY(32) NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS sealed_event_seal ON sealed_event (seal, place);

-- With what a record of an admission has beside its personal part: credentials that were never used may be deleted.
CREATE TABLE IF NOT EXISTS sealed_admission (
    access_key VARCHAR(64) NOT NULL,
    seal       BIGINT      NOT NULL,
    place      INT         NOT NULL,
    digest     BINARY(32)  NOT NULL,
    hash       BINARY(32)  NOT NULL,
    device_id  BINARY(16)  NOT NULL,
    issued_at  BIGINT      NOT NULL,
    PRIMARY KEY (access_key)
) ${table};

CREATE INDEX IF NOT EXISTS sealed_admission_seal ON sealed_admission (seal, place);

-- How far the record is sealed, and the lock of those who seal: who does compares times_locked and counts it up. Records behind
-- event_id, and behind admission_at and admission_key, are not sealed; of those before, the walk_ columns say which were looked
-- at lately, because some arrive late.
CREATE TABLE IF NOT EXISTS seal_head (
    id            INT         NOT NULL,
    times_locked  BIGINT      NOT NULL,
    seals         BIGINT      NOT NULL,
    time_to       BIGINT      NOT NULL,
    checked_at    BIGINT      NOT NULL,
    event_id      BINARY(16)  NOT NULL,
    admission_at  BIGINT      NOT NULL,
    admission_key VARCHAR(64) NOT NULL,
    walk_id       BINARY(16)  NOT NULL,
    walk_at       BIGINT      NOT NULL,
    walk_key      VARCHAR(64) NOT NULL,
    PRIMARY KEY (id)
) ${table};

INSERT INTO seal_head (id, times_locked, seals, time_to, checked_at, event_id, admission_at, admission_key, walk_id, walk_at, walk_key)
    SELECT 1, 0, 0, 0, 0, X'00000000000000000000000000000000', 0, '', X'00000000000000000000000000000000', 0, ''
    FROM (SELECT 1 AS one) AS nothing WHERE NOT EXISTS (SELECT 1 FROM seal_head);

-- Admissions in the order of their times. MariaDB makes this index while the table is in use.
CREATE INDEX IF NOT EXISTS credential_created ON credential (created_at, access_key);
