//! Whom a project is tied to: its source from the first listing on, a target as soon as something is to be begun there.
//! A project never mixes two of a side.

use super::{
    account::AccountStore,
    accounts::AccountRow,
    faults::{Trouble, broken},
    journal,
    project::Project,
    rows::{RunId, Side, Work},
};
use rusqlite::{Connection, OptionalExtension, Row};
use transhume_contract::{Fault, Identity, Reach, Workload};

/// Accounts read at once.
const PAGE: usize = 500;

/// What the stores of all accounts know of something. One that cannot be read may know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    No,
    Unknown,
    Yes,
}

impl Project {
    /// Ties a side of a workload to who answers there; a project never mixes two.
    pub async fn bind(&self, side: Side, workload: Workload, identity: &Identity) -> Result<(), Fault> {
        let identity = identity.clone();
        self.write(move |db| bind(db, side, workload, &identity)).await
    }

    /// Gives a side its better name, where it was tied to the same by another one: to a domain, before anybody knew
    /// the GUID of its tenant.
    pub async fn rename(&self, side: Side, workload: Workload, from: &Identity, to: &Identity) -> Result<(), Fault> {
        let (from, to) = (from.clone(), to.clone());
        self.write(move |db| {
            let sql =
                "UPDATE identity SET place = ?5 WHERE side = ?1 AND workload = ?2 AND connector = ?3 AND place = ?4";
            if !to.place.is_empty() && from.connector == to.connector {
                db.execute(sql, (side, Work(workload), &from.connector, &from.place, &to.place))?;
            }
            Ok(())
        })
        .await
    }

    /// Who a side of a workload is tied to.
    pub async fn bound(&self, side: Side, workload: Workload) -> Result<Option<Identity>, Fault> {
        self.read(move |db| bound(db, side, workload)).await
    }

    /// Whether anything was ever begun at the target of a workload, in any account: a collection ensured, and so an intent
    /// or a placement.
    pub async fn has_begun(&self, workload: Workload) -> Result<Begun, Fault> {
        self.any(async |store: &AccountStore| store.has_begun(workload).await).await
    }

    /// Whether something of any account should stand at the target of a workload: it was placed there, and no verification
    /// missed it since.
    pub async fn should_stand(&self, workload: Workload) -> Result<Begun, Fault> {
        self.any(async |store: &AccountStore| store.should_stand(workload).await).await
    }

    async fn any(&self, is: impl AsyncFn(&AccountStore) -> Result<bool, Fault>) -> Result<Begun, Fault> {
        let mut answer = Begun::No;
        for row in self.rows_with_store().await? {
            let told = async { is(&self.open_account(&row.account.id).await?).await };
            match told.await {
                Ok(false) => {}
                Ok(true) => return Ok(Begun::Yes),
                Err(fault) if fault.reach <= Reach::Account => answer = Begun::Unknown,
                Err(fault) => return Err(fault),
            }
        }
        Ok(answer)
    }

    /// Unties the target of a workload, unless something was begun there. What was kept of its refusals says nothing of
    /// another one, and is forgotten before: killed in between, all of this is done again. Answers whether it is untied.
    pub async fn untie_target(&self, workload: Workload) -> Result<bool, Fault> {
        if self.has_begun(workload).await? != Begun::No {
            return Ok(false);
        }
        for row in self.rows_with_store().await? {
            self.open_account(&row.account.id).await?.forget_refusals(workload).await?;
        }
        let run = self.run();
        self.write(move |db| untie_target(db, run, workload)).await?;
        Ok(true)
    }

    async fn rows_with_store(&self) -> Result<Vec<AccountRow>, Fault> {
        let (mut rows, mut last) = (Vec::new(), None::<AccountRow>);
        loop {
            let page = self.accounts(None, last.as_ref(), PAGE).await?;
            let Some(end) = page.last().cloned() else { return Ok(rows) };
            for row in page {
                if self.has_store(&row).await {
                    rows.push(row);
                }
            }
            last = Some(end);
        }
    }
}

fn bind(db: &Connection, side: Side, workload: Workload, identity: &Identity) -> Result<(), Trouble> {
    let untold = identity.place.is_empty();
    match bound(db, side, workload)? {
        Some(known) if known == *identity => Ok(()),
        // Who cannot tell where it is cannot be read from either: there is nothing to mix.
        Some(known) if untold && known.connector == identity.connector => Ok(()),
        None if untold => Ok(()),
        Some(known) => Err(mixed(side, &known, identity).into()),
        None => {
            let row = (side, Work(workload), &identity.connector, &identity.place);
            db.execute("INSERT INTO identity VALUES (?1, ?2, ?3, ?4)", row)?;
            Ok(())
        }
    }
}

/// Why accounts stopped there, and what was found there, goes with it.
fn untie_target(db: &Connection, run: Option<RunId>, workload: Workload) -> Result<(), Trouble> {
    let of_it = (Side::Target, Work(workload));
    db.execute("DELETE FROM identity WHERE side = ?1 AND workload = ?2", of_it)?;
    db.execute("DELETE FROM setback WHERE side = ?1 AND workload = ?2", of_it)?;
    db.execute("DELETE FROM finding WHERE side = ?1", [Side::Target])?;
    run.map_or(Ok(()), |run| journal::note_run(db, run, "target_untied", workload.name()))
}

fn bound(db: &Connection, side: Side, workload: Workload) -> Result<Option<Identity>, Trouble> {
    let sql = "SELECT connector, place FROM identity WHERE side = ?1 AND workload = ?2";
    let identity = |row: &Row<'_>| Ok(Identity { connector: row.get(0)?, place: row.get(1)? });
    Ok(db.query_row(sql, (side, Work(workload)), identity).optional()?)
}

fn mixed(side: Side, known: &Identity, found: &Identity) -> Fault {
    let sentence = format!(
        "this project belongs to the {} {} ({}), but the configuration now names {} ({})",
        side.name(),
        known.place,
        known.connector,
        found.place,
        found.connector,
    );
    broken(sentence).ask("put the old name back in transhume.toml, or start a new project with `transhume init`")
}
