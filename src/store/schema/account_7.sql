-- Without NOT NULL on its numbers, which only triggers write: a statement that cannot break a constraint half-way needs
-- no copy of the pages it changes.
PRAGMA legacy_alter_table = ON;
CREATE TABLE counted (
    kind TEXT NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, items INTEGER, bytes INTEGER,
    PRIMARY KEY (kind, place, name)
) WITHOUT ROWID;
INSERT INTO counted SELECT * FROM tally;
DROP TABLE tally;
ALTER TABLE counted RENAME TO tally;
PRAGMA legacy_alter_table = OFF;

-- The placement whose place it is to take at the target.
ALTER TABLE intent ADD COLUMN instead INTEGER;
