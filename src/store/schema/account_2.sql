-- The latest verdict on each placement, and on what stands at a target without being ours (placement 0).
CREATE TABLE verdict (
    key INTEGER PRIMARY KEY, workload INTEGER NOT NULL, placement INTEGER NOT NULL, target INTEGER NOT NULL,
    handle TEXT, item INTEGER, depth TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL,
    run INTEGER
);
CREATE UNIQUE INDEX verdict_on_placement ON verdict (placement) WHERE placement <> 0;
CREATE UNIQUE INDEX verdict_on_extra ON verdict (target, handle) WHERE placement = 0;
CREATE INDEX verdict_differing ON verdict (workload, key) WHERE kind <> 'ok';
CREATE INDEX placement_at ON placement (target, key) WHERE state = 0;

-- Totals are kept by triggers in the commit that changes them, so that a million items are summed in no time.
-- `place` is a workload, or a collection for kind 'stage'.
CREATE TABLE tally (
    kind TEXT NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, items INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (kind, place, name)
) WITHOUT ROWID;

CREATE TRIGGER item_added AFTER INSERT ON item WHEN NEW.state < 2 BEGIN
    INSERT INTO tally VALUES ('item', NEW.workload, NEW.state, 1, NEW.size)
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER item_changed AFTER UPDATE OF state, size ON item
WHEN NEW.state < 2 AND (OLD.state <> NEW.state OR OLD.size <> NEW.size) BEGIN
    UPDATE tally SET items = items - 1, bytes = bytes - OLD.size
        WHERE kind = 'item' AND place = OLD.workload AND name = cast(OLD.state AS TEXT);
    INSERT INTO tally VALUES ('item', NEW.workload, NEW.state, 1, NEW.size)
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
    UPDATE tally SET bytes = bytes + NEW.size - OLD.size WHERE kind = 'stage' AND (place, name) IN
        (SELECT collection, cast(stage AS TEXT) FROM membership WHERE item = NEW.key);
END;
CREATE TRIGGER item_fetched AFTER UPDATE OF original, fetched_bytes ON item WHEN NEW.state < 2 BEGIN
    INSERT INTO tally VALUES ('fetched', NEW.workload, '', (NEW.original IS NOT NULL) - (OLD.original IS NOT NULL),
            NEW.fetched_bytes - OLD.fetched_bytes)
        ON CONFLICT DO UPDATE SET items = items + excluded.items, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER item_rendered AFTER UPDATE OF rendering ON item
WHEN (NEW.rendering IS NULL) <> (OLD.rendering IS NULL) BEGIN
    INSERT INTO tally VALUES ('rendered', NEW.workload, '', iif(NEW.rendering IS NULL, -1, 1), 0)
        ON CONFLICT DO UPDATE SET items = items + excluded.items;
END;

CREATE TRIGGER membership_added AFTER INSERT ON membership BEGIN
    INSERT INTO tally VALUES ('stage', NEW.collection, NEW.stage, 1, (SELECT size FROM item WHERE key = NEW.item))
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER membership_staged AFTER UPDATE OF stage ON membership WHEN OLD.stage <> NEW.stage BEGIN
    UPDATE tally SET items = items - 1, bytes = bytes - (SELECT size FROM item WHERE key = OLD.item)
        WHERE kind = 'stage' AND place = OLD.collection AND name = cast(OLD.stage AS TEXT);
    INSERT INTO tally VALUES ('stage', NEW.collection, NEW.stage, 1, (SELECT size FROM item WHERE key = NEW.item))
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER membership_left AFTER DELETE ON membership BEGIN
    UPDATE tally SET items = items - 1, bytes = bytes - (SELECT size FROM item WHERE key = OLD.item)
        WHERE kind = 'stage' AND place = OLD.collection AND name = cast(OLD.stage AS TEXT);
END;

CREATE TRIGGER placement_added AFTER INSERT ON placement BEGIN
    INSERT INTO tally VALUES ('placement', (SELECT workload FROM item WHERE key = NEW.item), NEW.state, 1, NEW.length)
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER placement_changed AFTER UPDATE OF state ON placement WHEN OLD.state <> NEW.state BEGIN
    UPDATE tally SET items = items - 1, bytes = bytes - OLD.length WHERE kind = 'placement'
        AND place = (SELECT workload FROM item WHERE key = OLD.item) AND name = cast(OLD.state AS TEXT);
    INSERT INTO tally VALUES ('placement', (SELECT workload FROM item WHERE key = NEW.item), NEW.state, 1, NEW.length)
        ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER loss_added AFTER INSERT ON loss BEGIN
    INSERT INTO tally VALUES ('loss', (SELECT workload FROM item WHERE key = NEW.item), NEW.name, 1, 0)
        ON CONFLICT DO UPDATE SET items = items + 1;
END;
CREATE TRIGGER loss_dropped AFTER DELETE ON loss BEGIN
    UPDATE tally SET items = items - 1 WHERE kind = 'loss'
        AND place = (SELECT workload FROM item WHERE key = OLD.item) AND name = OLD.name;
END;

CREATE TRIGGER verdict_added AFTER INSERT ON verdict BEGIN
    INSERT INTO tally VALUES ('verdict', NEW.workload, NEW.depth || ' ' || NEW.kind, 1, 0)
        ON CONFLICT DO UPDATE SET items = items + 1;
END;
CREATE TRIGGER verdict_changed AFTER UPDATE OF depth, kind ON verdict BEGIN
    UPDATE tally SET items = items - 1
        WHERE kind = 'verdict' AND place = OLD.workload AND name = OLD.depth || ' ' || OLD.kind;
    INSERT INTO tally VALUES ('verdict', NEW.workload, NEW.depth || ' ' || NEW.kind, 1, 0)
        ON CONFLICT DO UPDATE SET items = items + 1;
END;
CREATE TRIGGER verdict_dropped AFTER DELETE ON verdict BEGIN
    UPDATE tally SET items = items - 1
        WHERE kind = 'verdict' AND place = OLD.workload AND name = OLD.depth || ' ' || OLD.kind;
END;

-- What is there already.
INSERT INTO tally SELECT 'item', workload, state, count(*), sum(size) FROM item WHERE state < 2 GROUP BY workload, state;
INSERT INTO tally SELECT 'fetched', workload, '', count(original), sum(fetched_bytes) FROM item WHERE state < 2
    GROUP BY workload;
INSERT INTO tally SELECT 'rendered', workload, '', count(rendering), 0 FROM item GROUP BY workload;
INSERT INTO tally SELECT 'stage', m.collection, m.stage, count(*), sum(i.size) FROM membership m
    JOIN item i ON i.key = m.item GROUP BY m.collection, m.stage;
INSERT INTO tally SELECT 'placement', i.workload, p.state, count(*), sum(p.length) FROM placement p
    JOIN item i ON i.key = p.item GROUP BY i.workload, p.state;
INSERT INTO tally SELECT 'loss', i.workload, l.name, count(*), 0 FROM loss l JOIN item i ON i.key = l.item
    GROUP BY i.workload, l.name;
