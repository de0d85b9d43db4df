-- People who sign in with the company's provider have longer names than operators with tokens. On MariaDB these columns have two
-- bytes for their length already, so that only the dictionary changes, whatever the number of rows. So it is on H2.
ALTER TABLE allowance MODIFY COLUMN operator VARCHAR(320) NOT NULL;
ALTER TABLE credential_order MODIFY COLUMN operator VARCHAR(320) NOT NULL;
ALTER TABLE serial_import MODIFY COLUMN operator VARCHAR(320) NOT NULL;
ALTER TABLE job MODIFY COLUMN operator VARCHAR(320) NOT NULL;
ALTER TABLE approval MODIFY COLUMN decided_by VARCHAR(320) NULL;

-- Sign-ins of operators at the console (kind S), and links that each become one (L). The value of the cookie or the link is not
-- stored, only its hash. A session has either the hash of the token that it depends on, or what the provider said about the person.
-- ends_at is the latest end of a session that comes of a link.
CREATE TABLE IF NOT EXISTS operator_session (
    id         BINARY(16)   NOT NULL,
    hash       BINARY(32)   NOT NULL,
    kind       CHAR(1)      NOT NULL,
    operator   BINARY(16)   NOT NULL,
    name       VARCHAR(320) NOT NULL,
    token_hash BINARY(32),
    person     TEXT,
    created_at BIGINT       NOT NULL,
    used_at    BIGINT       NOT NULL,
    expires_at BIGINT       NOT NULL,
    ends_at    BIGINT       NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT operator_session_hash UNIQUE (hash)
) ${table};

CREATE INDEX IF NOT EXISTS operator_session_operator ON operator_session (operator, id);

CREATE INDEX IF NOT EXISTS operator_session_expires ON operator_session (expires_at);

-- What the provider last said about a person, as long as it counts for jobs that the person began.
CREATE TABLE IF NOT EXISTS operator_person (
    id         BINARY(16) NOT NULL,
    person     TEXT       NOT NULL,
    created_at BIGINT     NOT NULL,
    expires_at BIGINT     NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS operator_person_expires ON operator_person (expires_at);
