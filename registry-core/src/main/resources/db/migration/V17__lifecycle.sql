-- The timeline of a device: what is on record by its id, and by its serial from before it registered. MariaDB makes these
-- indexes while the table is in use.
CREATE INDEX IF NOT EXISTS audit_event_device ON audit_event (device_id, id);

CREATE INDEX IF NOT EXISTS audit_event_serial ON audit_event (fleet, serial, id);
