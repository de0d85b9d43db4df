-- So that each page of these lists reads its own rows only.
CREATE INDEX IF NOT EXISTS allowance_fleet ON allowance (fleet, id);
