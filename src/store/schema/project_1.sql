CREATE TABLE identity (
    side TEXT NOT NULL, workload INTEGER NOT NULL, connector TEXT NOT NULL, place TEXT NOT NULL,
    PRIMARY KEY (side, workload)
) WITHOUT ROWID;

CREATE TABLE discovery (number INTEGER PRIMARY KEY, begun INTEGER NOT NULL, ended INTEGER);

-- One row per account of the source. `account` is the whole of it as JSON; gone ones are kept.
CREATE TABLE account (
    id TEXT PRIMARY KEY, address TEXT NOT NULL, account TEXT NOT NULL, folder TEXT NOT NULL UNIQUE,
    wave TEXT, target TEXT, discovery INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX account_by_address ON account (address, id);
CREATE TABLE alias (address TEXT NOT NULL, account TEXT NOT NULL, PRIMARY KEY (address, account)) WITHOUT ROWID;

CREATE TABLE unreachable (
    key INTEGER PRIMARY KEY, kind TEXT NOT NULL, account TEXT, unreachable TEXT NOT NULL, discovery INTEGER NOT NULL
);
CREATE UNIQUE INDEX unreachable_once ON unreachable (kind, ifnull(account, ''));

-- What `check` and discovery found, per side and account ('' for the side itself).
CREATE TABLE finding (
    key INTEGER PRIMARY KEY, side TEXT NOT NULL, account TEXT NOT NULL, finding TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX finding_of ON finding (side, account);

-- Why an account stopped, until it goes on.
CREATE TABLE setback (
    account TEXT NOT NULL, side TEXT NOT NULL, workload INTEGER NOT NULL, fault TEXT NOT NULL, at INTEGER NOT NULL,
    run INTEGER, PRIMARY KEY (account, side, workload)
) WITHOUT ROWID;

CREATE TABLE run (
    key INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, begun INTEGER NOT NULL, ended INTEGER, outcome TEXT
);

CREATE TABLE journal (
    key INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, run INTEGER, event TEXT NOT NULL, subject TEXT,
    digest BLOB, detail TEXT
);
CREATE TRIGGER journal_is_kept BEFORE DELETE ON journal BEGIN SELECT raise(ABORT, 'the journal only grows'); END;
CREATE TRIGGER journal_is_fixed BEFORE UPDATE ON journal BEGIN SELECT raise(ABORT, 'the journal only grows'); END;
