-- 1: its target may write it in words of its own, so that a second copy is known by its key (a UID) alone. Workloads 1 and 5,
-- mail and files, are kept byte for byte: their keys are not looked for, and would cost each message its place in an index.
ALTER TABLE rendering ADD COLUMN reworded INTEGER NOT NULL DEFAULT 0;
UPDATE rendering SET reworded = 1 WHERE item IN (SELECT key FROM item WHERE workload NOT IN (1, 5));
CREATE INDEX rendering_by_key ON rendering (message_id) WHERE reworded = 1;

-- What people removed is looked for by verification, collection by collection, as what stands is.
CREATE INDEX placement_lost ON placement (target, key) WHERE state = 3;
