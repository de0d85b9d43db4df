-- Work on many serials or devices, which any node goes on with. state: U being uploaded, W waiting, R running, D done, F failed,
-- X cancelled. A node may take the job from due_at on, which is the end of the lease while it runs, and the largest number once it
-- has ended. turn counts the leases: who writes under an older one changes nothing. place is how far the job is, parts how many
-- parts of results it has, tries how many leases ended since the last progress. what says what to do, in JSON.
CREATE TABLE IF NOT EXISTS job (
    id           VARCHAR(32)    NOT NULL,
    fleet        VARCHAR(64)    NOT NULL,
    kind         VARCHAR(32)    NOT NULL,
    state        CHAR(1)        NOT NULL,
    operator     VARCHAR(64)    NOT NULL,
    what         MEDIUMTEXT     NOT NULL,
    dry_run      BOOLEAN        NOT NULL,
    sealed_key   VARBINARY(256) NOT NULL,
    created_at   BIGINT         NOT NULL,
    started_at   BIGINT,
    ended_at     BIGINT,
    due_at       BIGINT         NOT NULL,
    expires_at   BIGINT         NOT NULL,
    turn         BIGINT         NOT NULL,
    tries        INT            NOT NULL,
    place        VARCHAR(64)    NOT NULL,
    parts        INT            NOT NULL,
    total        BIGINT,
    done         BIGINT         NOT NULL,
    failed       BIGINT         NOT NULL,
    error        VARCHAR(500),
    times_locked BIGINT         DEFAULT 0 NOT NULL,
    PRIMARY KEY (id)
) ${table};

CREATE INDEX IF NOT EXISTS job_due ON job (due_at);

CREATE INDEX IF NOT EXISTS job_fleet ON job (fleet, id);

CREATE INDEX IF NOT EXISTS job_state ON job (fleet, state, id);

CREATE INDEX IF NOT EXISTS job_expires ON job (expires_at);

-- What was uploaded (kind I), the results of rows (R), and the failed rows (F), each in parts that are sealed under the key of the job.
CREATE TABLE IF NOT EXISTS job_data (
    job    VARCHAR(32) NOT NULL,
    kind   CHAR(1)     NOT NULL,
    part   INT         NOT NULL,
    sealed MEDIUMBLOB  NOT NULL,
    PRIMARY KEY (job, kind, part)
) ${table};
