//! What came of naming, amending, moving, withdrawing and repairing placements.

use super::{Placement, by_key};
use crate::store::{
    account::AccountStore,
    faults::Trouble,
    journal::{self, Event},
    losses::{self, Origin},
    memberships,
    rows::{CollectionKey, Json, PlacementKey, RenderingKey, RunId, Side, TargetKey, signed},
    setbacks::{self, Standing, Whose},
    verdicts,
};
use rusqlite::Connection;
use transhume_contract::{Amended, Facts, Fault, Handle, Loss, Placed, Version};

const WITHDRAWN: i64 = 1;
const SUPERSEDED: i64 = 2;
const LOST: i64 = 3;

/// What came of rendering anew what a placement was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerendered {
    pub placement: PlacementKey,
    pub rendering: RenderingKey,
    /// The bytes are not those that stand there.
    pub differs: bool,
}

impl AccountStore {
    /// Gives placements the handles that `find` told: what was owed for want of one can be done. One handle names one
    /// placement: whoever asks for duplicates must share them out, with [`claimed`](Self::claimed).
    pub async fn name_placements(&self, named: Vec<(PlacementKey, Handle, Option<Version>)>) -> Result<(), Fault> {
        self.write(move |db| {
            let owed = "DELETE FROM fault WHERE side = 'target' AND cause IS NULL AND (item, collection) IN
                (SELECT item, collection FROM placement WHERE key = ?1 AND handle IS NULL AND tried IS NOT NULL)";
            let sql = "UPDATE placement SET handle = ?2, version = ?3, tried = NULL WHERE key = ?1";
            for (key, handle, version) in &named {
                db.prepare_cached(owed)?.execute([key])?;
                db.prepare_cached(sql)?.execute((key, handle.as_str(), version.as_ref().map(Version::as_str)))?;
                verdicts::forget_missing(db, *key)?;
            }
            Ok(())
        })
        .await
    }

    /// Notes that the versions of these were asked for, where no answer told them.
    pub async fn record_asked(&self, keys: Vec<PlacementKey>) -> Result<(), Fault> {
        self.write(move |db| {
            let mut asked = db.prepare_cached("UPDATE placement SET asked = 1 WHERE key = ?1")?;
            keys.iter().try_for_each(|key| asked.execute([key]).map(drop)).map_err(Into::into)
        })
        .await
    }

    /// Which of these handles placements bear already.
    pub async fn claimed(&self, at: TargetKey, handles: Vec<Handle>) -> Result<Vec<Handle>, Fault> {
        let placements = self.placements_by_handle(at, handles).await?;
        Ok(placements.into_iter().filter_map(|placement| placement.handle).collect())
    }

    /// Writes down which facts are about to be brought to placements, in one commit; only then may anything be sent.
    pub async fn begin_amending(&self, begun: Vec<(PlacementKey, Facts)>) -> Result<(), Fault> {
        self.write(move |db| begun.iter().try_for_each(|(key, want)| begin(db, *key, want))).await
    }

    /// Writes down that what was about to be brought to a placement never came there: only what was `begun` before may
    /// stand there still.
    pub async fn forget_amending(&self, key: PlacementKey, begun: Vec<Facts>) -> Result<(), Fault> {
        self.write(move |db| {
            let begun = (!begun.is_empty()).then_some(Json(&begun));
            let sql = "UPDATE placement SET begun = ?2 WHERE key = ?1";
            Ok(db.prepare_cached(sql)?.execute((key, begun)).map(drop)?)
        })
        .await
    }

    /// Writes down amendings: the facts that stand there now, and the revision of the item's facts they answer to.
    /// Fields in which people there decided otherwise become verdicts, and the base tells them apart from then on.
    pub async fn record_amended(&self, amended: Vec<(PlacementKey, u64, Amended)>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| amended.iter().try_for_each(|(key, revision, what)| amend(db, run, *key, *revision, what)))
            .await
    }

    /// Writes down which placements are about to be moved, and where to, in one commit; only then may anything be sent.
    pub async fn intend_moves(&self, moves: Vec<(PlacementKey, CollectionKey, TargetKey)>) -> Result<(), Fault> {
        self.write(move |db| {
            let sql = "UPDATE placement SET moving_to = ?2, moving_at = ?3 WHERE key = ?1";
            moves.iter().try_for_each(|row| Ok(db.prepare_cached(sql)?.execute(*row).map(drop)?))
        })
        .await
    }

    /// Writes down that an intended move did not happen, nor any part of it.
    pub async fn forget_move(&self, key: PlacementKey) -> Result<(), Fault> {
        self.write(move |db| {
            let sql = "UPDATE placement SET moving_to = NULL, moving_at = NULL WHERE key = ?1";
            Ok(db.prepare_cached(sql)?.execute([key]).map(drop)?)
        })
        .await
    }

    /// Writes down that a placement followed its item into another collection.
    pub async fn record_moved(
        &self,
        key: PlacementKey,
        to: CollectionKey,
        at: TargetKey,
        placed: &Placed,
    ) -> Result<(), Fault> {
        let (placed, run) = (placed.clone(), self.inner.run);
        self.write(move |db| moved(db, run, key, to, at, &placed)).await
    }

    /// Writes down that we took a placement away, as asked, and what was left of it.
    pub async fn record_withdrawn(&self, key: PlacementKey, losses: Vec<Loss>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| remove(db, run, key, (WITHDRAWN, "withdrawn"), &losses)).await
    }

    /// Writes down that a newer original stands in a placement's stead, and the old one is away.
    pub async fn record_superseded(&self, key: PlacementKey, losses: Vec<Loss>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| remove(db, run, key, (SUPERSEDED, "superseded"), &losses)).await
    }

    /// Writes down that a placement is no longer there, and not by our doing. It is not placed again; where its item
    /// was about to be moved, the loss goes with it.
    pub async fn record_lost(&self, key: PlacementKey, moved_to: Option<CollectionKey>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| lose(db, run, key, moved_to)).await
    }

    /// Writes down what came of rendering anew: what differs is to be placed anew, and the rest answers to the new
    /// rendering, with its facts to be looked at again.
    pub async fn record_rerendered(&self, rerendered: Vec<Rerendered>) -> Result<(), Fault> {
        self.write(move |db| {
            for one in &rerendered {
                match one.differs {
                    true => db.execute("UPDATE placement SET stale = 1 WHERE key = ?1", [one.placement])?,
                    false => db.execute(
                        "UPDATE placement SET rendering = ?2, amend = 1 WHERE key = ?1",
                        (one.placement, one.rendering),
                    )?,
                };
            }
            Ok(())
        })
        .await
    }

    /// Writes down that what stands there stays, though it reads otherwise now: people changed it.
    pub async fn record_kept(&self, key: PlacementKey) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| {
            db.prepare_cached("UPDATE placement SET stale = 0 WHERE key = ?1")?.execute([key])?;
            note(db, run, "kept", &by_key(db, key)?)
        })
        .await
    }

    /// Writes down under which handles placements that were missing stand there after all.
    pub async fn record_found(&self, found: Vec<(PlacementKey, Handle, Option<Version>)>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| found.iter().try_for_each(|(key, handle, version)| find(db, run, *key, handle, version)))
            .await
    }

    /// Allows a lost placement to be placed again, as a repair was asked for.
    pub async fn repair(&self, key: PlacementKey) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| end(db, run, key, SUPERSEDED, "repaired")).await
    }

    /// Amending, moving, superseding or withdrawing failed: it is owed, or in quarantine, and not offered again in this
    /// run.
    pub async fn postpone(&self, key: PlacementKey, fault: &Fault) -> Result<Standing, Fault> {
        let (fault, run) = (fault.clone(), self.inner.run);
        self.write(move |db| {
            db.execute("UPDATE placement SET tried = ?2 WHERE key = ?1", (key, run))?;
            let placement = by_key(db, key)?;
            let whose = Whose { item: placement.item, side: Side::Target, from: Some(placement.from) };
            setbacks::keep(db, run, &whose, &fault)
        })
        .await
    }
}

fn note(db: &Connection, run: Option<RunId>, name: &'static str, placement: &Placement) -> Result<(), Trouble> {
    let digest = Some(placement.stored.digest);
    journal::note(db, run, &Event { name, item: placement.item, digest, detail: None })
}

/// What an earlier attempt began may stand there, too.
fn begin(db: &Connection, key: PlacementKey, want: &Facts) -> Result<(), Trouble> {
    let (mut begun, want) = (by_key(db, key)?.begun, want.amendable());
    if !begun.contains(&want) {
        begun.push(want);
    }
    let sql = "UPDATE placement SET begun = ?2 WHERE key = ?1";
    Ok(db.prepare_cached(sql)?.execute((key, Json(&begun))).map(drop)?)
}

fn amend(db: &Connection, run: Option<RunId>, key: PlacementKey, revision: u64, what: &Amended) -> Result<(), Trouble> {
    let placement = by_key(db, key)?;
    let base = (what.base != what.facts.amendable()).then_some(Json(&what.base));
    let sql = "UPDATE placement SET facts = ?2, revision = ?3, losses = ?4, base = ?5, begun = NULL,
        amend = (SELECT revision <> ?3 FROM item WHERE key = placement.item) WHERE key = ?1";
    db.prepare_cached(sql)?.execute((key, Json(&what.facts), signed(revision), Json(&what.losses), base))?;
    losses::replace(db, placement.item, Origin::Placement(key.0), &what.losses)?;
    setbacks::clear_target(db, placement.item, placement.from)?;
    verdicts::forget_missing(db, key)?;
    if !what.changed_there.is_empty() {
        verdicts::keep_changed_there(db, run, &placement, &what.changed_there)?;
    }
    note(db, run, "amended", &placement)
}

fn moved(
    db: &Connection,
    run: Option<RunId>,
    key: PlacementKey,
    to: CollectionKey,
    at: TargetKey,
    placed: &Placed,
) -> Result<(), Trouble> {
    let placement = by_key(db, key)?;
    let sql = "UPDATE placement SET collection = ?2, target = ?3, handle = ?4, version = ?5, asked = 0,
        moving_to = NULL, moving_at = NULL, orphan = NOT EXISTS (SELECT 1 FROM membership m WHERE m.item = placement.item AND m.collection = ?2) WHERE key = ?1";
    let (handle, version) = (placed.handle.as_ref().map(Handle::as_str), placed.version.as_ref().map(Version::as_str));
    db.prepare_cached(sql)?.execute((key, to, at, handle, version))?;
    leave_out(db, &placement, &placed.left_out)?;
    keep_losses(db, &placement, &placed.losses)?;
    setbacks::clear_target(db, placement.item, placement.from)?;
    verdicts::forget_missing(db, key)?;
    // Where it stood, too: the item may have gone back there while nobody knew of the move.
    memberships::restage_item(db, placement.item)?;
    note(db, run, "moved", &placement)
}

/// Keywords that did not come along with a move stand there for nobody.
fn leave_out(db: &Connection, placement: &Placement, left_out: &[String]) -> Result<(), Trouble> {
    if left_out.is_empty() {
        return Ok(());
    }
    let facts = placement.facts.without_keywords(left_out);
    let base = placement.base.without_keywords(left_out);
    let theirs = (base.amendable() != facts.amendable()).then_some(Json(&base));
    let sql = "UPDATE placement SET facts = ?2, base = ?3 WHERE key = ?1";
    Ok(db.prepare_cached(sql)?.execute((placement.key, Json(&facts), theirs)).map(drop)?)
}

/// What moving or taking away left behind.
fn keep_losses(db: &Connection, placement: &Placement, losses: &[Loss]) -> Result<(), Trouble> {
    losses::add(db, placement.item, Origin::Removal(placement.key.0), losses)
}

/// Something newer took its place at the target.
pub(in crate::store) fn supersede(db: &Connection, run: Option<RunId>, key: PlacementKey) -> Result<(), Trouble> {
    remove(db, run, key, (SUPERSEDED, "superseded"), &[])
}

fn remove(
    db: &Connection,
    run: Option<RunId>,
    key: PlacementKey,
    (state, event): (i64, &'static str),
    losses: &[Loss],
) -> Result<(), Trouble> {
    end(db, run, key, state, event)?;
    keep_losses(db, &by_key(db, key)?, losses)
}

fn end(db: &Connection, run: Option<RunId>, key: PlacementKey, state: i64, event: &'static str) -> Result<(), Trouble> {
    let placement = by_key(db, key)?;
    let sql = "UPDATE placement SET state = ?2, moving_to = NULL, moving_at = NULL WHERE key = ?1";
    db.prepare_cached(sql)?.execute((key, state))?;
    losses::replace(db, placement.item, Origin::Placement(key.0), &[])?;
    if state != LOST {
        verdicts::forget(db, key)?;
    }
    setbacks::clear_target(db, placement.item, placement.from)?;
    memberships::restage_item(db, placement.item)?;
    note(db, run, event, &placement)
}

fn find(
    db: &Connection,
    run: Option<RunId>,
    key: PlacementKey,
    handle: &Handle,
    version: &Option<Version>,
) -> Result<(), Trouble> {
    let placement = by_key(db, key)?;
    let sql = "UPDATE placement SET handle = ?2, version = ?3, state = 0 WHERE key = ?1";
    db.prepare_cached(sql)?.execute((key, handle.as_str(), version.as_ref().map(Version::as_str)))?;
    losses::replace(db, placement.item, Origin::Placement(key.0), &placement.losses)?;
    verdicts::forget(db, key)?;
    setbacks::clear_target(db, placement.item, placement.from)?;
    memberships::restage_item(db, placement.item)?;
    note(db, run, "found", &placement)
}

fn lose(
    db: &Connection,
    run: Option<RunId>,
    key: PlacementKey,
    moved_to: Option<CollectionKey>,
) -> Result<(), Trouble> {
    if let Some(to) = moved_to {
        // What failed so far is told of the collection it stood in.
        let placement = by_key(db, key)?;
        setbacks::clear_target(db, placement.item, placement.from)?;
        db.prepare_cached("UPDATE placement SET collection = ?2, orphan = 0 WHERE key = ?1")?.execute((key, to))?;
    }
    end(db, run, key, LOST, "lost")
}
