-- Devices that a broker is to throw off: written with what they are thrown off for, and deleted once they are known to be gone. A row
-- without a device means all of the fleet, or of a lot of it, that are after after_id, and becomes a row for each.
CREATE TABLE disconnection (
    id           BINARY(16)  NOT NULL,
    broker       VARCHAR(64) NOT NULL,
    fleet        VARCHAR(64) NOT NULL,
    lot          VARCHAR(64),
    device_id    BINARY(16),
    after_id     BINARY(16),
    requested_at BIGINT      NOT NULL,
    due_at       BIGINT      NOT NULL,
    told_at      BIGINT,
    CONSTRAINT disconnection_pk PRIMARY KEY (id)
) ${table};

CREATE INDEX disconnection_due ON disconnection (broker, due_at);
