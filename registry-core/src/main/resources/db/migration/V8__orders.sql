-- A node reads the orders of one fleet at a time.
CREATE INDEX IF NOT EXISTS credential_order_fleet ON credential_order (fleet, id);
