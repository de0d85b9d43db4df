-- What happened in an hour, as one node counted it: a row that no other node writes. at_hour counts from 1970. Those of a chart
-- are one range of the key.
CREATE TABLE IF NOT EXISTS statistic (
    fleet   VARCHAR(64) NOT NULL,
    kind    VARCHAR(32) NOT NULL,
    at_hour BIGINT      NOT NULL,
    node    BINARY(16)  NOT NULL,
    amount  BIGINT      NOT NULL,
    PRIMARY KEY (fleet, kind, at_hour, node)
) ${table};

CREATE INDEX IF NOT EXISTS statistic_hour ON statistic (at_hour);
