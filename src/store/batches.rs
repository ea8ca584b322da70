//! What a batch of items needs at once, in one read each.

use super::{
    account::AccountStore,
    bodies::{self, StoredBody},
    originals::{self, Original},
    renderings::{self, Rendering},
    rows::{OriginalKey, RenderingKey, Work, signed, unsigned},
    totals::Tally,
};
use std::collections::BTreeMap;
use transhume_contract::{Digest, Fault, Workload};

impl AccountStore {
    /// The renderings of these originals by an edition and tables for a profile, as far as they were made before.
    pub async fn renderings(
        &self,
        of: Vec<OriginalKey>,
        edition: u32,
        tables: Digest,
        profile: Digest,
    ) -> Result<Vec<Rendering>, Fault> {
        self.read(move |db| {
            let found = of.iter().map(|key| renderings::find(db, *key, edition, &tables, &profile));
            found.filter_map(Result::transpose).collect()
        })
        .await
    }

    /// Renderings by their keys: those that placements were made of, whatever edition made them.
    pub async fn renderings_placed(&self, keys: Vec<RenderingKey>) -> Result<Vec<Rendering>, Fault> {
        self.read(move |db| keys.iter().map(|key| renderings::by_key(db, *key)).collect()).await
    }

    /// Originals with their bytes in reach, in their order.
    pub async fn load_originals(&self, keys: Vec<OriginalKey>) -> Result<Vec<(Original, Vec<StoredBody>)>, Fault> {
        let blobs = self.inner.blobs.clone();
        self.read(move |db| {
            let load = |key: &OriginalKey| {
                let original = originals::original(db, *key)?;
                let parts = original.parts.iter().map(|part| bodies::load(&blobs, db, &part.digest));
                let parts = parts.collect::<Result<_, _>>()?;
                Ok((original, parts))
            };
            keys.iter().map(load).collect()
        })
        .await
    }

    /// Items that want their original, with the bytes the source states.
    pub async fn to_fetch(&self, workload: Workload) -> Result<Tally, Fault> {
        self.read(move |db| {
            let sql = "SELECT count(*), ifnull(sum(size), 0) FROM item WHERE wanting = 1 AND workload = ?1";
            let tally = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (items, bytes) = db.query_row(sql, [Work(workload)], tally)?;
            Ok(Tally { items: unsigned(items), bytes: unsigned(bytes) })
        })
        .await
    }

    /// Items at the source by the class that the source gives them, empty where it tells none: all of them, or those that
    /// want their original. It looks at every item.
    pub async fn classes(&self, workload: Workload, wanting: bool) -> Result<BTreeMap<String, u64>, Fault> {
        self.read(move |db| {
            let sql = "SELECT ifnull(json_extract(facts, '$.class'), ''), count(*) FROM item
                WHERE workload = ?1 AND state = 0 AND (wanting = 1 OR NOT ?2) GROUP BY 1";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map((Work(workload), wanting), |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// How many items at the source state more than so many bytes.
    pub async fn items_larger_than(&self, workload: Workload, bytes: u64) -> Result<u64, Fault> {
        self.read(move |db| {
            let sql = "SELECT count(*) FROM item WHERE workload = ?1 AND state = 0 AND size > ?2";
            Ok(unsigned(db.query_row(sql, (Work(workload), signed(bytes)), |row| row.get(0))?))
        })
        .await
    }
}
