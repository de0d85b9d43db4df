-- Search by the beginning of a device's name, and of the text of any tag. A device without a name is found by its serial, so the
-- serials of those without a name are in order too. MariaDB makes these indexes while the tables are in use.
CREATE INDEX IF NOT EXISTS device_name ON device (fleet, name, serial);

CREATE INDEX IF NOT EXISTS device_tag_any ON device_tag (text, device_id);
