-- Webhooks of a fleet, the secrets that sign what is sent to them, and what was sent or waits. types are words with blanks
-- between them, null for every type. Nobody else delivers for a webhook before lease_until; nobody delivers at all before
-- paused_until. counted_at is when its deliveries were last counted and old ones deleted; full_since is when it had too many.
CREATE TABLE IF NOT EXISTS webhook (
    id           VARCHAR(32)   NOT NULL,
    fleet        VARCHAR(64)   NOT NULL,
    url          VARCHAR(1000) NOT NULL,
    description  VARCHAR(200),
    types        VARCHAR(2000),
    enabled      BOOLEAN       NOT NULL,
    gone_at      BIGINT,
    version      BIGINT        NOT NULL,
    created_at   BIGINT        NOT NULL,
    lease_until  BIGINT        NOT NULL,
    paused_until BIGINT        NOT NULL,
    failures     INT           NOT NULL,
    failing_from BIGINT,
    reported     BOOLEAN       NOT NULL,
    last_error   VARCHAR(200),
    delivered_at BIGINT,
    counted_at   BIGINT        NOT NULL,
    full_since   BIGINT,
    times_locked BIGINT        DEFAULT 0 NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS webhook_fleet ON webhook (fleet, id);

-- not_after is null for the present secret.
CREATE TABLE IF NOT EXISTS webhook_secret (
    webhook       VARCHAR(32)    NOT NULL,
    id            VARCHAR(32)    NOT NULL,
    sealed_secret VARBINARY(256) NOT NULL,
    created_at    BIGINT         NOT NULL,
    not_after     BIGINT,
    PRIMARY KEY (webhook, id)
) ${table};

-- The outbox: a row is written in the transaction that records its event. state: W waits, D delivered, X given up. due_at is
-- the largest number unless it waits.
CREATE TABLE IF NOT EXISTS webhook_delivery (
    id          BINARY(16)  NOT NULL,
    webhook     VARCHAR(32) NOT NULL,
    type        VARCHAR(32) NOT NULL,
    body        TEXT        NOT NULL,
    state       CHAR(1)     NOT NULL,
    due_at      BIGINT      NOT NULL,
    begun_at    BIGINT      NOT NULL,
    attempts    INT         NOT NULL,
    last_at     BIGINT,
    last_status INT,
    last_millis BIGINT,
    last_error  VARCHAR(200),
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS webhook_delivery_due ON webhook_delivery (webhook, due_at);

CREATE INDEX IF NOT EXISTS webhook_delivery_state ON webhook_delivery (webhook, state, id);
