//! Proofs that a server mails nobody because of a migration: for one way on one version of one server.

use super::{project::Project, rows::now};
use std::collections::BTreeSet;
use transhume_contract::Fault;

impl Project {
    /// Writes down that a way was seen to work.
    pub async fn record_proof(&self, method: &str) -> Result<(), Fault> {
        let method = method.to_owned();
        self.write(move |db| {
            db.execute(
                "INSERT INTO proof VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = excluded.at",
                (&method, now()),
            )?;
            Ok(())
        })
        .await
    }

    /// Every way seen to work.
    pub async fn proofs(&self) -> Result<BTreeSet<String>, Fault> {
        self.read(|db| {
            let mut query = db.prepare("SELECT method FROM proof")?;
            let rows = query.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
