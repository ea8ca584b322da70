-- Ways of keeping a server from mailing the people of a meeting that moves, seen to work: its name, version and way.
CREATE TABLE proof (method TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
