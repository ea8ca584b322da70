//! Servers, or what stands before them, that stumble over a removal or a move: what stands there tells what came of it.

use crate::{
    cutter::{Cutter, Loss},
    front::{ERROR, PAGE},
    setting::{calendar, event, key, observe, place_one, placement, started, target_at},
};
use std::sync::atomic::Ordering;
use transhume_contract::{Collection, Outcome, Placement, Target, What};
use transhume_dav::DavTarget;
use transhume_servers::{DavKind, DavServer};

/// One item in one calendar, another calendar beside it, and a wire that loses what this verb says or hears.
struct Stage {
    server: DavServer,
    cutter: Cutter,
    target: DavTarget,
    from: Collection,
    to: Collection,
    placed: Placement,
}

impl Stage {
    async fn new(kind: DavKind, verb: &'static str, loss: Loss) -> Self {
        let server = started(kind);
        let cutter = Cutter::start(server.port(), verb, loss).await;
        let target = target_at(&cutter.url());
        let (from, to) = (calendar(&target, "From").await, calendar(&target, "To").await);
        let placed = place_one(&target, &from, "one", &event("one", "")).await.unwrap();
        cutter.cut(true);
        Self { server, cutter, target, from, to, placed }
    }

    /// How many items stand in each calendar.
    async fn standing(&self) -> [usize; 2] {
        assert_eq!(self.cutter.lost.load(Ordering::SeqCst), 1, "one request was lost, and none sent twice");
        let next = target_at(&self.server.url());
        [observe(&next, &self.from).await.len(), observe(&next, &self.to).await.len()]
    }
}

const KINDS: [DavKind; 2] = [DavKind::Radicale, DavKind::Xandikos];

#[tokio::test]
async fn what_was_removed_is_removed_whatever_the_answer() {
    for (kind, words) in KINDS.into_iter().flat_map(|kind| [(kind, ERROR), (kind, PAGE)]) {
        let stage = Stage::new(kind, "DELETE", Loss::Said(words)).await;
        stage.target.withdraw(&stage.placed).await.unwrap();
        assert_eq!(stage.standing().await, [0, 0], "{words}");
    }
}

#[tokio::test]
async fn what_still_stands_is_not_called_removed() {
    for (kind, words) in KINDS.into_iter().flat_map(|kind| [(kind, ERROR), (kind, PAGE)]) {
        let stage = Stage::new(kind, "DELETE", Loss::Unheard(words)).await;
        let fault = stage.target.withdraw(&stage.placed).await.unwrap_err();
        assert_eq!((fault.outcome, stage.standing().await), (Outcome::NotDone, [1, 0]), "{words}: {fault}");
        stage.cutter.cut(false);
        stage.target.withdraw(&stage.placed).await.unwrap();
    }
}

#[tokio::test]
async fn what_people_wrote_where_a_removal_stumbled_is_theirs() {
    let stage = Stage::new(DavKind::Radicale, "DELETE", Loss::Unheard(ERROR)).await;
    let theirs = Placement { version: Some(transhume_contract::Version::new("\"before\"")), ..stage.placed.clone() };
    let fault = stage.target.withdraw(&theirs).await.unwrap_err();
    assert_eq!((fault.what, stage.standing().await), (What::Forbidden, [1, 0]), "{fault}");
}

/// It is looked for, as after a lost answer, and neither owed for ever nor taken for what people removed.
#[tokio::test]
async fn what_was_moved_is_found_where_it_went() {
    for (kind, words) in KINDS.into_iter().flat_map(|kind| [(kind, ERROR), (kind, PAGE)]) {
        let stage = Stage::new(kind, "MOVE", Loss::Said(words)).await;
        let fault = stage.target.relocate(&stage.placed, &stage.to, None).await.unwrap_err();
        assert_eq!((fault.outcome, stage.standing().await), (Outcome::Unknown, [0, 1]), "{words}: {fault}");
        let found = stage.target.find(&stage.to, &[key("one", &event("one", ""))]).await.unwrap().remove(0);
        let settled = stage.target.relocate(&stage.placed, &stage.to, Some(&found.handle)).await.unwrap();
        assert_eq!(placement(&stage.to, settled, "").handle, found.handle);
    }
}

#[tokio::test]
async fn what_was_not_moved_is_offered_again() {
    for (kind, words) in KINDS.into_iter().flat_map(|kind| [(kind, ERROR), (kind, PAGE)]) {
        let stage = Stage::new(kind, "MOVE", Loss::Unheard(words)).await;
        let fault = stage.target.relocate(&stage.placed, &stage.to, None).await.unwrap_err();
        assert_eq!((fault.outcome, stage.standing().await), (Outcome::NotDone, [1, 0]), "{words}: {fault}");
        stage.cutter.cut(false);
        stage.target.relocate(&stage.placed, &stage.to, None).await.unwrap();
    }
}
