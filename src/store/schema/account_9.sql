-- 1: its version was asked for since it was placed or moved there, whatever came of it.
ALTER TABLE placement ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
