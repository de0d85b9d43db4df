-- Candidates that wait for an operator, and what was decided. state: W waits, A approved, R rejected, U used. approved is the
-- serial while the entry is approved, so that no two entries of a serial are, on however many nodes. used_key is the
-- credential that was issued by the approval. binding is the thumbprint of the candidate's key, or empty.
CREATE TABLE IF NOT EXISTS approval (
    id         BINARY(16)   NOT NULL,
    fleet      VARCHAR(64)  NOT NULL,
    serial     VARCHAR(128) NOT NULL,
    binding    VARCHAR(43)  NOT NULL,
    state      CHAR(1)      NOT NULL,
    approved   VARCHAR(128),
    origin     VARCHAR(64),
    lot        VARCHAR(64),
    answers    TEXT,
    tries      INT          NOT NULL,
    first_seen BIGINT,
    last_seen  BIGINT,
    decided_at BIGINT,
    decided_by VARCHAR(64),
    reason     VARCHAR(200),
    used_key   VARCHAR(64),
    expires_at BIGINT       NOT NULL,
    version    INT          NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT approval_candidate UNIQUE (fleet, serial, binding),
    CONSTRAINT approval_approved UNIQUE (fleet, approved)
) ${table};

CREATE INDEX IF NOT EXISTS approval_state ON approval (fleet, state, id);

CREATE INDEX IF NOT EXISTS approval_origin ON approval (fleet, origin, state, id);

CREATE INDEX IF NOT EXISTS approval_lot ON approval (fleet, lot, state, id);

CREATE INDEX IF NOT EXISTS approval_expires ON approval (expires_at);
