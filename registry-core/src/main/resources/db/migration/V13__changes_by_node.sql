-- Notes of changes in the order in which a node makes them, so that the others miss none, however late it becomes visible.

-- A node in the sense of change_log: a start of the registry. All of its notes below low are committed or never will be. What it
-- writes here twice a second also shows that the database takes changes.
CREATE TABLE IF NOT EXISTS change_node (
    id  BIGINT       NOT NULL,
    low BIGINT       NOT NULL,
    at  TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (id)
) ${table};

-- Null for notes of a node of an earlier version.
ALTER TABLE change_log ADD COLUMN IF NOT EXISTS node BIGINT;
ALTER TABLE change_log ADD COLUMN IF NOT EXISTS number BIGINT;

-- Unique, so that a node can find out about a note of which it does not know whether it was committed.
CREATE UNIQUE INDEX IF NOT EXISTS change_log_number ON change_log (node, number);
