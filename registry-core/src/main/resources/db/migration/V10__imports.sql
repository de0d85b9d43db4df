-- What operators imported: a row from the beginning of an import on. The node that reads it says so in seen_at; counts are those of
-- what is stored, written with it.
CREATE TABLE IF NOT EXISTS serial_import (
    id         BINARY(16)  NOT NULL,
    fleet      VARCHAR(64) NOT NULL,
    operator   VARCHAR(64) NOT NULL,
    state      CHAR(1)     NOT NULL,
    started_at BIGINT      NOT NULL,
    seen_at    BIGINT      NOT NULL,
    ended_at   BIGINT,
    rows_read  BIGINT      NOT NULL,
    accepted   BIGINT      NOT NULL,
    rejected   BIGINT      NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS serial_import_fleet ON serial_import (fleet, id);

CREATE INDEX IF NOT EXISTS serial_import_state ON serial_import (state, seen_at);
