//! Proofs that a server mails nobody because of a migration: for one way on one version of one server.

use super::{project::Project, rows::now};
use std::{collections::BTreeSet, time::Duration};
use transhume_contract::{Fault, UNVERSIONED};

/// What was seen of such a server counts for so long: whether it was brought up to date since, or another one stands in
/// its place, nobody is told.
pub const UNVERSIONED_FOR: Duration = Duration::from_secs(24 * 3600);

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

    /// Every way seen to work that still counts.
    pub async fn proofs(&self) -> Result<BTreeSet<String>, Fault> {
        let age = i64::try_from(UNVERSIONED_FOR.as_micros()).unwrap_or(i64::MAX);
        let since = now().saturating_sub(age);
        self.read(move |db| {
            let mut query = db.prepare("SELECT method FROM proof WHERE at > ?1 OR instr(method, ?2) = 0")?;
            let rows = query.query_map((since, UNVERSIONED), |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::{Opening, StoreOptions};

    async fn ages_by(project: &Project, hours: i64) {
        let micros = hours * 3_600_000_000;
        project.write(move |db| Ok(db.execute("UPDATE proof SET at = at - ?1", [micros])?)).await.unwrap();
    }

    #[tokio::test]
    async fn a_proof_for_a_server_without_a_version_counts_for_a_day() {
        let dir = tempfile::tempdir().unwrap();
        Project::create(dir.path(), StoreOptions::default()).await.unwrap();
        let opening = Opening::Running { verb: "check".into() };
        let project = Project::open(dir.path(), opening, StoreOptions::default()).await.unwrap();
        let told = "dav.example.org: Cyrus 3.6.1 schedule-agent-client";
        let untold = "dav.example.net: a CalDAV server unknown version schedule-agent-client";
        let both = BTreeSet::from([told.to_owned(), untold.to_owned()]);
        for method in [told, untold] {
            project.record_proof(method).await.unwrap();
        }
        ages_by(&project, 23).await;
        assert_eq!(project.proofs().await.unwrap(), both);
        ages_by(&project, 2).await;
        assert_eq!(project.proofs().await.unwrap(), BTreeSet::from([told.to_owned()]));
        project.record_proof(untold).await.unwrap();
        assert_eq!(project.proofs().await.unwrap(), both, "seen once more");
    }
}
