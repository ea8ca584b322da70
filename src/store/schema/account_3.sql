-- A move whose outcome nobody knows yet: the collection the item went to, and where that stands at the target. It is
-- written before the first byte is sent, and resolved by looking there.
ALTER TABLE placement ADD COLUMN moving_to INTEGER;
ALTER TABLE placement ADD COLUMN moving_at INTEGER;
CREATE INDEX placement_moving ON placement (key) WHERE moving_to IS NOT NULL;
