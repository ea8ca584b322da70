-- What happened to one item is found without reading the journal of all.
CREATE INDEX journal_of_item ON journal (item) WHERE item IS NOT NULL;

-- Every collection has a row for each stage from its beginning on. The stage of a membership changes twice for every
-- message that is pushed: with the rows in place, that is two plain updates.
INSERT INTO tally SELECT 'stage', c.key, s.value, 0, 0 FROM collection c, json_each('["0","1","2","3","4"]') s
    WHERE true ON CONFLICT DO NOTHING;
CREATE TRIGGER collection_added AFTER INSERT ON collection BEGIN
    INSERT INTO tally VALUES ('stage', NEW.key, '0', 0, 0), ('stage', NEW.key, '1', 0, 0), ('stage', NEW.key, '2', 0, 0),
        ('stage', NEW.key, '3', 0, 0), ('stage', NEW.key, '4', 0, 0) ON CONFLICT DO NOTHING;
END;
DROP TRIGGER membership_staged;
CREATE TRIGGER membership_staged AFTER UPDATE OF stage ON membership WHEN OLD.stage <> NEW.stage BEGIN
    UPDATE tally SET items = items - 1, bytes = bytes - (SELECT size FROM item WHERE key = OLD.item)
        WHERE kind = 'stage' AND place = OLD.collection AND name = cast(OLD.stage AS TEXT);
    UPDATE tally SET items = items + 1, bytes = bytes + (SELECT size FROM item WHERE key = NEW.item)
        WHERE kind = 'stage' AND place = NEW.collection AND name = cast(NEW.stage AS TEXT);
END;
