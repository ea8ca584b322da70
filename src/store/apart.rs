//! Items that stand apart: their key stands at the target already, in another collection, so they are rendered with a key
//! of their own. Once that is written down it stays so, also for what the source tells of them later.

use super::{
    account::AccountStore,
    faults::Trouble,
    journal::{self, Event},
    memberships,
    rows::{CollectionKey, ItemKey, RunId, Work},
    setbacks,
};
use rusqlite::Connection;
use transhume_contract::{Cause, Fault, Workload};

/// In quarantine because of its key, neither standing nor lost at the target, and what has that key stands in another
/// target collection because of us: nothing of other people's is doubled. What is about to be withdrawn makes way, unless
/// something kept it there before.
const DOUBLED: &str = "SELECT f.item, f.collection FROM fault f JOIN item i ON i.key = f.item
        JOIN rendering r ON r.key = i.rendering
    WHERE f.workload = ?1 AND f.side = 'target' AND f.cause = ?2 AND i.apart = 0
        AND NOT EXISTS (SELECT 1 FROM placement own WHERE own.item = i.key AND own.state IN (0, 3))
        AND EXISTS (SELECT 1 FROM item o JOIN placement p ON p.item = o.key AND p.state = 0
                AND NOT (?3 AND o.state = 1 AND p.orphan AND NOT EXISTS (SELECT 1 FROM fault g
                    WHERE g.item = p.item AND g.side = 'target' AND g.collection = p.collection))
            JOIN rendering q ON q.key = p.rendering
            WHERE o.message_id = i.message_id AND o.workload = i.workload AND o.key <> i.key
                AND q.message_id = r.message_id
                AND p.target IS NOT (SELECT target FROM route WHERE collection = f.collection))";

impl AccountStore {
    /// Takes out of quarantine what was refused because its key stands in another collection at the target, where we
    /// placed it: from now on it is rendered apart. Answers which items. `withdraws`: what the source deleted goes.
    pub async fn set_apart(&self, workload: Workload, withdraws: bool) -> Result<Vec<ItemKey>, Fault> {
        let run = self.inner.run;
        self.write(move |db| set_apart(db, run, workload, withdraws)).await
    }

    /// Takes out of quarantine what was refused because of a key that nothing of ours has any more, though something of
    /// ours had it when it was refused. Answers which items.
    pub async fn release_freed(&self, workload: Workload) -> Result<Vec<ItemKey>, Fault> {
        // Nearly always there is nothing to write.
        if self.read(move |db| freed(db, workload)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let run = self.inner.run;
        self.write(move |db| release_freed(db, run, workload)).await
    }
}

/// In quarantine because of its key, which only what was withdrawn has. Whatever was withdrawn before the target refused it
/// last did not stand in its way. Killed between withdrawing something and writing it down, we find it lost.
const FREED: &str = "SELECT f.item, f.collection FROM fault f JOIN item i ON i.key = f.item
    WHERE f.workload = ?1 AND f.side = 'target' AND f.cause = ?2
        AND EXISTS (SELECT 1 FROM item o JOIN placement p ON p.item = o.key
                AND (p.state = 1 OR p.state = 3 AND o.state = 1)
                JOIN journal j ON j.item = o.key AND j.event = iif(p.state = 1, 'withdrawn', 'lost')
            WHERE o.message_id = i.message_id AND o.workload = i.workload AND o.key <> i.key
                AND j.at >= f.last)
        AND NOT EXISTS (SELECT 1 FROM item o JOIN placement p ON p.item = o.key AND p.state = 0
            WHERE o.message_id = i.message_id AND o.workload = i.workload AND o.key <> i.key)";

fn freed(db: &Connection, workload: Workload) -> Result<Vec<(ItemKey, CollectionKey)>, Trouble> {
    let mut query = db.prepare_cached(FREED)?;
    let rows = query.query_map((Work(workload), Cause::DuplicateUid.name()), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn release_freed(db: &Connection, run: Option<RunId>, workload: Workload) -> Result<Vec<ItemKey>, Trouble> {
    let freed = freed(db, workload)?;
    for (item, from) in &freed {
        setbacks::clear_target(db, *item, *from)?;
        let (name, detail) = ("released", Some(Cause::DuplicateUid.name()));
        journal::note(db, run, &Event { name, item: *item, digest: None, detail })?;
        memberships::restage(db, *item, *from)?;
    }
    Ok(freed.into_iter().map(|(item, _)| item).collect())
}

fn set_apart(
    db: &Connection,
    run: Option<RunId>,
    workload: Workload,
    withdraws: bool,
) -> Result<Vec<ItemKey>, Trouble> {
    let mut query = db.prepare_cached(DOUBLED)?;
    let rows = query
        .query_map((Work(workload), Cause::DuplicateUid.name(), withdraws), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let doubled: Vec<(ItemKey, CollectionKey)> = rows.collect::<Result<_, _>>()?;
    for (item, from) in &doubled {
        db.prepare_cached("UPDATE item SET apart = 1 WHERE key = ?1")?.execute([item])?;
        setbacks::clear_target(db, *item, *from)?;
        journal::note(db, run, &Event { name: "set_apart", item: *item, digest: None, detail: None })?;
        memberships::restage(db, *item, *from)?;
    }
    Ok(doubled.into_iter().map(|(item, _)| item).collect())
}
