//! When each account was last worked on, and how that ended: lines of the project's journal.

use super::{
    project::Project,
    rows::{now, time},
};
use serde::Serialize;
use std::collections::HashMap;
use transhume_contract::{AccountId, Fault, Timestamp};

/// The latest pass over one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastPass {
    pub at: Timestamp,
    /// `run`, `pull` or `push`.
    pub verb: String,
    /// `ended`, `stopped` or `interrupted`.
    pub outcome: String,
}

const EVENT: &str = "account_pass";

impl Project {
    /// Writes down that a pass over an account ended so.
    pub async fn record_pass(&self, account: &AccountId, outcome: &'static str) -> Result<(), Fault> {
        let (run, account) = (self.run(), account.as_str().to_owned());
        self.write(move |db| {
            let sql = "INSERT INTO journal (at, run, event, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
            db.execute(sql, (now(), run, EVENT, &account, outcome))?;
            Ok(())
        })
        .await
    }

    /// The latest pass over every account that was ever worked on.
    pub async fn last_passes(&self) -> Result<HashMap<AccountId, LastPass>, Fault> {
        self.read(|db| {
            let sql = "SELECT j.subject, j.at, r.verb, j.detail, max(j.key) FROM journal j JOIN run r ON r.key = j.run
                WHERE j.event = ?1 GROUP BY j.subject";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map([EVENT], |row| {
                let last = LastPass { at: time(row.get(1)?), verb: row.get(2)?, outcome: row.get(3)? };
                Ok((AccountId::new(row.get::<_, String>(0)?), last))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
