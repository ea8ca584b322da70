-- A store exactly as version 1 wrote it. Kept as it is: the test migrates it to the present.
CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), account TEXT NOT NULL);

-- The latest pass of each workload: whether its feeds are known, and the pass in which all were last finished.
CREATE TABLE pass (
    workload INTEGER PRIMARY KEY, number INTEGER NOT NULL, feeds_known INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE collection (
    key INTEGER PRIMARY KEY, workload INTEGER NOT NULL, id TEXT NOT NULL, collection TEXT NOT NULL,
    pass INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0, UNIQUE (workload, id)
); -- gone: 2 when an item told of it before any list of collections did

-- `cursor` goes on with round `round`, or starts the next when `finished`. `full`: the round began from the start.
CREATE TABLE feed (
    key INTEGER PRIMARY KEY, workload INTEGER NOT NULL, id TEXT NOT NULL, collection INTEGER, cursor TEXT,
    round INTEGER NOT NULL DEFAULT 0, full INTEGER NOT NULL DEFAULT 1, finished INTEGER NOT NULL DEFAULT 1,
    finished_pass INTEGER NOT NULL DEFAULT 0, pass INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0,
    UNIQUE (workload, id)
);

-- state: 0 present, 1 gone from the source, 2 not an item but the account's settings.
-- `revision` counts changes of the facts that can be amended at a target. `barred`: quarantined on the source side.
-- loose: it lost a membership since the last settled pass. `fetched` is the version at which `original` was fetched, or
-- found unchanged, and `fetched_follows` whether a new version of it means new bytes.
CREATE TABLE item (
    key INTEGER PRIMARY KEY, workload INTEGER NOT NULL, id TEXT NOT NULL, version TEXT NOT NULL,
    follows INTEGER NOT NULL, facts TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 1, received INTEGER NOT NULL,
    size INTEGER NOT NULL, message_id TEXT, parent TEXT, name TEXT, state INTEGER NOT NULL DEFAULT 0,
    barred INTEGER NOT NULL DEFAULT 0, original INTEGER, fetched TEXT, fetched_follows INTEGER,
    fetched_bytes INTEGER NOT NULL DEFAULT 0,
    rendering INTEGER, loose INTEGER NOT NULL DEFAULT 0,
    wanting INTEGER GENERATED ALWAYS AS (CASE WHEN state = 0 AND barred = 0
        AND (original IS NULL OR (fetched_follows = 1 AND version IS NOT fetched)) THEN 1 END) VIRTUAL,
    UNIQUE (workload, id)
);
CREATE INDEX item_wanting ON item (workload, received DESC, key DESC) WHERE wanting = 1;
CREATE INDEX item_loose ON item (workload) WHERE loose = 1;
CREATE INDEX item_by_message_id ON item (message_id) WHERE message_id IS NOT NULL;

-- stage: 0 waiting for its original, 1 ready to be placed, 2 an intent is open, 3 placed, 4 barred (quarantined).
CREATE TABLE membership (
    item INTEGER NOT NULL, collection INTEGER NOT NULL, feed INTEGER NOT NULL, round INTEGER NOT NULL,
    received INTEGER NOT NULL, stage INTEGER NOT NULL, PRIMARY KEY (item, collection)
) WITHOUT ROWID;
CREATE INDEX membership_of ON membership (collection);
CREATE INDEX membership_ready ON membership (collection, received DESC, item DESC) WHERE stage = 1;

-- Originals are immutable once complete.
CREATE TABLE original (
    key INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL, seq INTEGER NOT NULL, version TEXT NOT NULL,
    complete INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, UNIQUE (item, seq)
);
CREATE TABLE part (
    key INTEGER PRIMARY KEY AUTOINCREMENT, original INTEGER NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL,
    media_type TEXT NOT NULL, digest BLOB, length INTEGER NOT NULL DEFAULT 0, whole INTEGER NOT NULL DEFAULT 0,
    UNIQUE (original, name)
);
CREATE TRIGGER original_is_kept BEFORE DELETE ON original WHEN OLD.complete = 1
    BEGIN SELECT raise(ABORT, 'originals are immutable'); END;
CREATE TRIGGER original_is_fixed BEFORE UPDATE ON original WHEN OLD.complete = 1
    BEGIN SELECT raise(ABORT, 'originals are immutable'); END;
CREATE TRIGGER part_is_kept BEFORE DELETE ON part
    WHEN (SELECT complete FROM original WHERE key = OLD.original) = 1
    BEGIN SELECT raise(ABORT, 'originals are immutable'); END;
CREATE TRIGGER part_is_fixed BEFORE UPDATE ON part
    WHEN (SELECT complete FROM original WHERE key = OLD.original) = 1
    BEGIN SELECT raise(ABORT, 'originals are immutable'); END;

-- codec: 0 as it is, 1 zstd. Without `data` the bytes are a file named by the digest.
CREATE TABLE blob (
    key INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, length INTEGER NOT NULL, codec INTEGER NOT NULL,
    stored INTEGER NOT NULL, data BLOB
);

CREATE TABLE rendering (
    key INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL, original INTEGER NOT NULL, edition INTEGER NOT NULL,
    tables BLOB NOT NULL, profile BLOB NOT NULL, digest BLOB NOT NULL, length INTEGER NOT NULL, losses TEXT NOT NULL,
    message_id TEXT, UNIQUE (original, edition, tables, profile)
);

-- A loss of an item's present rendering ('rendering', 0) or of one of its placements ('placement', its key).
CREATE TABLE loss (
    item INTEGER NOT NULL, origin TEXT NOT NULL, owner INTEGER NOT NULL, name TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (item, origin, owner, name)
) WITHOUT ROWID;

CREATE TABLE target (
    key INTEGER PRIMARY KEY, workload INTEGER NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL,
    collection TEXT NOT NULL, UNIQUE (workload, account, id)
);
CREATE TABLE route (collection INTEGER PRIMARY KEY, target INTEGER NOT NULL, path TEXT NOT NULL);

-- state: 0 open, 1 done, 2 not done.
CREATE TABLE intent (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, item INTEGER NOT NULL, collection INTEGER NOT NULL,
    target INTEGER NOT NULL, original INTEGER NOT NULL, rendering INTEGER NOT NULL, facts TEXT NOT NULL,
    revision INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 1,
    at INTEGER NOT NULL, resolved INTEGER
);
CREATE INDEX intent_open ON intent (target, key) WHERE state = 0;
CREATE INDEX intent_of_item ON intent (item);

-- state: 0 present, 1 withdrawn, 2 superseded, 3 lost (gone there, and a repair may place it again).
-- amend: the item's facts changed since; stale: a newer original stands in the store; orphan: the source's collection
-- no longer holds the item.
CREATE TABLE placement (
    key INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER NOT NULL, collection INTEGER NOT NULL, target INTEGER NOT NULL,
    intent INTEGER NOT NULL, original INTEGER NOT NULL, rendering INTEGER NOT NULL, handle TEXT, version TEXT,
    digest BLOB NOT NULL, length INTEGER NOT NULL, facts TEXT NOT NULL, revision INTEGER NOT NULL,
    losses TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, amend INTEGER NOT NULL DEFAULT 0,
    stale INTEGER NOT NULL DEFAULT 0, orphan INTEGER NOT NULL DEFAULT 0, tried INTEGER, at INTEGER NOT NULL
);
CREATE INDEX placement_of_item ON placement (item, collection);
CREATE INDEX placement_by_handle ON placement (target, handle) WHERE state = 0 AND handle IS NOT NULL;
CREATE INDEX placement_unnamed ON placement (target, key) WHERE state = 0 AND handle IS NULL;
CREATE INDEX placement_to_amend ON placement (target, key) WHERE state = 0 AND amend = 1;
CREATE INDEX placement_stale ON placement (key) WHERE state = 0 AND stale = 1;
CREATE INDEX placement_orphan ON placement (key) WHERE orphan = 1;

-- Owed where `cause` is null, else quarantined. `collection` is 0 on the source side.
CREATE TABLE fault (
    item INTEGER NOT NULL, side TEXT NOT NULL, collection INTEGER NOT NULL DEFAULT 0, workload INTEGER NOT NULL,
    fault TEXT NOT NULL, cause TEXT, attempts INTEGER NOT NULL DEFAULT 1, first INTEGER NOT NULL, last INTEGER NOT NULL,
    run INTEGER, PRIMARY KEY (item, side, collection)
) WITHOUT ROWID;
CREATE INDEX fault_by_cause ON fault (workload, side, cause);

CREATE TABLE journal (
    key INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, run INTEGER, event TEXT NOT NULL, item INTEGER,
    digest BLOB, detail TEXT
);
CREATE TRIGGER journal_is_kept BEFORE DELETE ON journal BEGIN SELECT raise(ABORT, 'the journal only grows'); END;
CREATE TRIGGER journal_is_fixed BEFORE UPDATE ON journal BEGIN SELECT raise(ABORT, 'the journal only grows'); END;

-- The rows.
INSERT INTO owner VALUES (1, '{"id":"anna-id","address":"Anna@contoso.example","name":"Anna","kind":"person","aliases":[],"enabled":true,"workloads":[]}');
INSERT INTO pass VALUES (1, 1, 1, 1);
INSERT INTO collection VALUES (1, 1, 'inbox', '{"account":"anna-id","workload":"mail","id":"inbox","parent":null,"name":"inbox","role":"inbox","hidden":false,"expected":{"items":null,"bytes":null}}', 1, 0);
INSERT INTO feed (key, workload, id, collection, cursor, round, full, finished, finished_pass, pass) VALUES (1, 1, 'inbox', 1, 'delta', 1, 1, 1, 1, 1);
INSERT INTO item (key, workload, id, version, follows, facts, received, size, state, original, fetched, fetched_follows, fetched_bytes, rendering)
    VALUES (1, 1, 'a', '1', 0, '{"read":false,"size":10}', 1700000000000000, 10, 0, 1, '1', 0, 5, 1);
INSERT INTO item (key, workload, id, version, follows, facts, received, size, state) VALUES (2, 1, 'b', '1', 0, '{}', 0, 7, 1);
INSERT INTO membership VALUES (1, 1, 1, 1, 1700000000000000, 3);
INSERT INTO blob VALUES (1, x'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f', 5, 0, 5, CAST('hello' AS BLOB));
INSERT INTO original VALUES (1, 1, 1, '1', 1, 5, 1700000000000000);
INSERT INTO part VALUES (1, 1, 0, 'mime', 'message/rfc822', x'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f', 5, 1);
INSERT INTO rendering VALUES (1, 1, 1, 1, x'00', x'00', x'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f', 5, '[{"name":"nul_bytes","detail":"one NUL"}]', NULL);
INSERT INTO loss VALUES (1, 'rendering', 0, 'nul_bytes', 'one NUL');
INSERT INTO target VALUES (1, 1, 'anna', 'INBOX.inbox', '{"account":"anna","workload":"mail","id":"INBOX.inbox","parent":null,"name":"inbox","role":"inbox","hidden":false,"expected":{"items":null,"bytes":null}}');
INSERT INTO route VALUES (1, 1, '["inbox"]');
INSERT INTO intent VALUES (1, 'i1', 1, 1, 1, 1, 1, '{"read":false}', 1, 1, 1, 1700000000000000, 1700000000000000);
INSERT INTO placement (key, item, collection, target, intent, original, rendering, handle, digest, length, facts, revision, losses, at)
    VALUES (1, 1, 1, 1, 1, 1, 1, '7', x'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f', 5, '{"read":false}', 1, '[]', 1700000000000000);
INSERT INTO journal VALUES (1, 1700000000000000, 1, 'placed', 1, x'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f', NULL);
PRAGMA application_id = 1953654849;
PRAGMA user_version = 1;
