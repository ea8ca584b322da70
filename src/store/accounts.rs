//! Accounts as discovery lists them, with their waves and target logins, and what was found about them.

use super::{
    faults::Trouble,
    names::{folder_name, folder_name_of_second},
    project::Project,
    rows::{Json, RunId, Side, Work, limit, now, time},
};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use transhume_contract::{Account, AccountId, AccountPage, Fault, Finding, Timestamp, Unreachable, Workload};

/// An account as the project knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    pub account: Account,
    /// The wave it moves in, once assigned.
    pub wave: Option<String>,
    /// Its login at the target, once assigned.
    pub target: Option<AccountId>,
    /// The name of its folder under `accounts/`.
    pub folder: String,
    /// The latest finished discovery no longer listed it.
    pub gone: bool,
}

/// A line of the accounts file: where an account goes, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Its address or one of its aliases, in any case.
    pub address: String,
    pub wave: Option<String>,
    pub target: Option<AccountId>,
}

/// One discovery, while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery(i64);

impl Project {
    pub async fn begin_discovery(&self) -> Result<Discovery, Fault> {
        self.write(|db| {
            db.execute("INSERT INTO discovery (begun) VALUES (?1)", [now()])?;
            Ok(Discovery(db.last_insert_rowid()))
        })
        .await
    }

    /// Keeps a page of discovery: accounts and what nobody can reach.
    pub async fn record_accounts(&self, discovery: Discovery, page: &AccountPage) -> Result<(), Fault> {
        let page = page.clone();
        self.write(move |db| {
            page.accounts.iter().try_for_each(|account| keep_account(db, discovery, account))?;
            page.unreachable.iter().try_for_each(|what| keep_unreachable(db, discovery, what))
        })
        .await
    }

    /// Ends a discovery that listed everything: accounts it did not list are marked gone, and kept.
    /// Answers how many are gone now.
    pub async fn finish_discovery(&self, discovery: Discovery) -> Result<u64, Fault> {
        self.write(move |db| {
            db.execute("UPDATE account SET gone = 1 WHERE discovery <> ?1", [discovery.0])?;
            db.execute("DELETE FROM unreachable WHERE discovery <> ?1", [discovery.0])?;
            db.execute("UPDATE discovery SET ended = ?1 WHERE number = ?2", (now(), discovery.0))?;
            Ok(db.query_row("SELECT count(*) FROM account WHERE gone", [], |row| row.get(0))?)
        })
        .await
    }

    /// Gives accounts their waves and target logins. Answers the addresses nobody has.
    pub async fn assign(&self, assignments: Vec<Assignment>) -> Result<Vec<String>, Fault> {
        self.write(move |db| {
            let mut unknown = Vec::new();
            for assignment in &assignments {
                match by_address(db, &assignment.address)? {
                    Some(row) => keep_assignment(db, &row.account.id, assignment)?,
                    None => unknown.push(assignment.address.clone()),
                }
            }
            Ok(unknown)
        })
        .await
    }

    /// Accounts by address, a page at a time: of one wave, or of all. Start with `None`.
    pub async fn accounts(
        &self,
        wave: Option<&str>,
        after: Option<&AccountRow>,
        most: usize,
    ) -> Result<Vec<AccountRow>, Fault> {
        let wave = wave.map(str::to_owned);
        let after = after.map(|row| (row.account.address.to_lowercase(), row.account.id.as_str().to_owned()));
        self.read(move |db| page_of_accounts(db, wave.as_deref(), &after.unwrap_or_default(), most)).await
    }

    /// The account people know by an address or alias, in any case.
    pub async fn account(&self, address: &str) -> Result<Option<AccountRow>, Fault> {
        let address = address.to_owned();
        self.read(move |db| by_address(db, &address)).await
    }

    /// What no step of the migration can reach, as the latest discovery told it.
    pub async fn unreachable(&self) -> Result<Vec<Unreachable>, Fault> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT unreachable FROM unreachable ORDER BY key")?;
            let rows = query.query_map([], |row| Ok(row.get::<_, Json<_>>(0)?.0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Replaces what was found about a side (`None`) or one account of it.
    pub async fn record_findings(
        &self,
        side: Side,
        account: Option<&AccountId>,
        findings: Vec<Finding>,
    ) -> Result<(), Fault> {
        let account = account.map_or_else(String::new, |id| id.as_str().to_owned());
        self.write(move |db| {
            db.execute("DELETE FROM finding WHERE side = ?1 AND account = ?2", (side, &account))?;
            let sql = "INSERT INTO finding (side, account, finding, at) VALUES (?1, ?2, ?3, ?4)";
            for finding in &findings {
                db.execute(sql, (side, &account, Json(finding), now()))?;
            }
            Ok(())
        })
        .await
    }

    /// What was found about a side (`None`) or one account of it when it was last checked.
    pub async fn findings(&self, side: Side, account: Option<&AccountId>) -> Result<Vec<Finding>, Fault> {
        let account = account.map_or_else(String::new, |id| id.as_str().to_owned());
        self.read(move |db| {
            let sql = "SELECT finding FROM finding WHERE side = ?1 AND account = ?2 ORDER BY key";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map((side, account), |row| Ok(row.get::<_, Json<_>>(0)?.0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Writes down why an account stopped (`Some`), or that it went on (`None`).
    pub async fn record_stop(
        &self,
        account: &AccountId,
        side: Side,
        workload: Workload,
        fault: Option<&Fault>,
    ) -> Result<(), Fault> {
        let (account, fault, run) = (account.as_str().to_owned(), fault.cloned(), self.run());
        self.write(move |db| keep_stop(db, &account, side, workload, fault.as_ref(), run)).await
    }

    /// Why an account stopped, and when, where it did not go on since. What reached a whole run holds until another run ended well.
    pub async fn stops(&self, account: &AccountId) -> Result<Vec<(Side, Workload, Fault, Timestamp)>, Fault> {
        let account = account.as_str().to_owned();
        self.read(move |db| {
            let mut query = db.prepare_cached(STOPS)?;
            let stop = |row: &Row<'_>| {
                Ok((row.get(0)?, row.get::<_, Work>(1)?.0, row.get::<_, Json<_>>(2)?.0, time(row.get(3)?)))
            };
            let rows = query.query_map([account], stop)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

const STOPS: &str = "SELECT side, workload, fault, at FROM setback s WHERE account = ?1
    AND (json_extract(fault, '$.reach') <> 'run' OR NOT EXISTS (SELECT 1 FROM run r WHERE r.key > s.run
        AND r.verb IN ('run', 'pull', 'push') AND r.outcome IN ('done', 'owed')))";
const ROW: &str = "account, wave, target, folder, gone";

fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        account: row.get::<_, Json<Account>>(0)?.0,
        wave: row.get(1)?,
        target: row.get::<_, Option<String>>(2)?.map(AccountId::new),
        folder: row.get(3)?,
        gone: row.get(4)?,
    })
}

pub(super) fn by_id(db: &Connection, id: &AccountId) -> Result<Option<AccountRow>, Trouble> {
    let sql = format!("SELECT {ROW} FROM account WHERE id = ?1");
    Ok(db.query_row(&sql, [id.as_str()], account_row).optional()?)
}

/// First addresses before aliases, present accounts before gone ones.
fn by_address(db: &Connection, address: &str) -> Result<Option<AccountRow>, Trouble> {
    let sql = format!(
        "SELECT {ROW} FROM account WHERE address = ?1
            OR id IN (SELECT account FROM alias WHERE address = ?1) ORDER BY gone, address <> ?1, id LIMIT 1"
    );
    Ok(db.query_row(&sql, [address.to_lowercase()], account_row).optional()?)
}

fn page_of_accounts(
    db: &Connection,
    wave: Option<&str>,
    after: &(String, String),
    most: usize,
) -> Result<Vec<AccountRow>, Trouble> {
    let sql = format!(
        "SELECT {ROW} FROM account WHERE (address, id) > (?1, ?2) AND (?3 IS NULL OR wave = ?3)
            ORDER BY address, id LIMIT ?4"
    );
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map((&after.0, &after.1, wave, limit(most)), account_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn keep_account(db: &Connection, discovery: Discovery, account: &Account) -> Result<(), Trouble> {
    let (id, address) = (account.id.as_str(), account.address.to_lowercase());
    let folder = free_folder(db, account)?;
    let sql = "INSERT INTO account (id, address, account, folder, discovery) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (id) DO UPDATE SET address = excluded.address, account = excluded.account,
            discovery = excluded.discovery, gone = 0";
    db.execute(sql, (id, &address, Json(account), folder, discovery.0))?;
    db.execute("DELETE FROM alias WHERE account = ?1", [id])?;
    for alias in &account.aliases {
        db.execute("INSERT OR IGNORE INTO alias VALUES (?1, ?2)", (alias.to_lowercase(), id))?;
    }
    Ok(())
}

/// An account keeps its folder when its address changes; an address that changed hands gets a second folder.
fn free_folder(db: &Connection, account: &Account) -> Result<String, Trouble> {
    let plain = folder_name(&account.address);
    let sql = "SELECT count(*) FROM account WHERE folder = ?1 AND id <> ?2";
    let taken: bool = db.query_row(sql, (&plain, account.id.as_str()), |row| row.get(0))?;
    Ok(if taken { folder_name_of_second(&account.address, account.id.as_str()) } else { plain })
}

fn keep_unreachable(db: &Connection, discovery: Discovery, what: &Unreachable) -> Result<(), Trouble> {
    let account = what.account.as_ref().map(AccountId::as_str);
    let old = "DELETE FROM unreachable WHERE kind = ?1 AND account IS ?2";
    db.execute(old, (&what.kind, account))?;
    let sql = "INSERT INTO unreachable (kind, account, unreachable, discovery) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, (&what.kind, account, Json(what), discovery.0))?;
    Ok(())
}

fn keep_assignment(db: &Connection, id: &AccountId, assignment: &Assignment) -> Result<(), Trouble> {
    let target = assignment.target.as_ref().map(AccountId::as_str);
    // Why another login was refused says nothing of this one.
    let old = "DELETE FROM setback WHERE account = ?1 AND side = ?2
        AND NOT EXISTS (SELECT 1 FROM account WHERE id = ?1 AND target IS ?3)";
    db.execute(old, (id.as_str(), Side::Target, target))?;
    let sql = "UPDATE account SET wave = ?1, target = ?2 WHERE id = ?3";
    db.execute(sql, (&assignment.wave, target, id.as_str()))?;
    Ok(())
}

fn keep_stop(
    db: &Connection,
    account: &str,
    side: Side,
    workload: Workload,
    fault: Option<&Fault>,
    run: Option<RunId>,
) -> Result<(), Trouble> {
    let old = "DELETE FROM setback WHERE account = ?1 AND side = ?2 AND workload = ?3";
    db.execute(old, (account, side, Work(workload)))?;
    if let Some(fault) = fault {
        let sql = "INSERT INTO setback VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        db.execute(sql, (account, side, Work(workload), Json(fault), now(), run))?;
    }
    Ok(())
}
