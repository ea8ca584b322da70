-- 1: its key stands in another collection of the target, which takes a key once; it is rendered with a key of its own.
ALTER TABLE item ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
