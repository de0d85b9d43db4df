-- Whom a broker is to throw off: written with what they are thrown off for, and deleted once they are known to be gone. It is an
-- operator by name, or a device, or all devices of a fleet or of a lot of it that are after after_id, which becomes a row for each.
CREATE TABLE IF NOT EXISTS disconnection (
    id           BINARY(16)  NOT NULL,
    broker       VARCHAR(64) NOT NULL,
    operator     VARCHAR(64),
    fleet        VARCHAR(64),
    lot          VARCHAR(64),
    device_id    BINARY(16),
    after_id     BINARY(16),
    requested_at BIGINT      NOT NULL,
    due_at       BIGINT      NOT NULL,
    told_at      BIGINT,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS disconnection_due ON disconnection (broker, due_at);
