//! Places that an interrupted run reserved in Radicale, and that no item comes for any more.

use crate::{
    cutter::{Cutter, Loss},
    setting::{calendar, event, observe, place, place_one, placing, started, target_at},
    whole::zoned,
};
use futures::StreamExt;
use std::sync::atomic::Ordering;
use transhume_contract::{Collection, Depth, Observed, Target};
use transhume_dav::DavTarget;
use transhume_servers::{DavKind, DavServer, Wire};

/// Everything there, and how much of it is left behind.
async fn seen(target: &DavTarget, at: &Collection, depth: Depth) -> (usize, usize) {
    let all: Vec<Observed> = target.observe(at, depth.into()).map(Result::unwrap).collect().await;
    (all.len(), all.iter().filter(|one| target.is_left_behind(one)).count())
}

/// Twenty items on their way into a new calendar, most of which never take the places reserved for them.
async fn interrupted(server: &DavServer) -> (Collection, usize) {
    let cutter = Cutter::start(server.port(), "PUT", Loss::Request).await;
    let target = target_at(&cutter.url());
    let at = calendar(&target, "Interrupted").await;
    // The first passes: it is the one that reserves.
    cutter.lost.store(2, Ordering::SeqCst);
    cutter.cut(true);
    let uids: Vec<String> = (0..20).map(|n| format!("f-{n}")).collect();
    let answers = place(&target, &at, uids.iter().map(|uid| placing(uid, &zoned(uid, 9))).collect()).await;
    let owed = answers.iter().filter(|(_, answer)| answer.is_err()).count();
    assert!(owed > 5 && owed < 20, "{owed} of 20");
    (at, owed)
}

#[tokio::test]
async fn reserved_places_are_known_for_what_they_are_at_every_depth_and_removed_in_the_end() {
    let server = started(DavKind::Radicale);
    let (at, owed) = interrupted(&server).await;
    // Another process, and something as small as a reservation that is somebody's.
    let next = target_at(&server.url());
    place_one(&next, &at, "small", &event("small", "")).await.unwrap();
    for depth in [Depth::Presence, Depth::Shape, Depth::Content] {
        assert_eq!(seen(&next, &at, depth).await, (21, owed), "{depth:?}");
    }
    next.settle(&at).await.unwrap();
    assert_eq!(seen(&next, &at, Depth::Content).await, (21 - owed, 0));
    let kept = observe(&next, &at).await;
    assert!(kept.iter().any(|one| one.handle.as_str() == "small.ics"), "{kept:?}");
}

/// It knows what it left there: nothing.
#[tokio::test]
async fn a_calendar_that_was_filled_without_a_break_is_not_read_again() {
    let server = started(DavKind::Radicale);
    let wire = Wire::start(server.port(), &[], &[]).unwrap();
    let target = target_at(&wire.url());
    let at = calendar(&target, "Filled").await;
    let batch = (0..20).map(|n| placing(&format!("z-{n}"), &zoned(&format!("z-{n}"), 9))).collect();
    assert!(place(&target, &at, batch).await.iter().all(|(_, answer)| answer.is_ok()));
    let asked = wire.seen("PROPFIND") + wire.seen("REPORT");
    target.settle(&at).await.unwrap();
    assert_eq!(wire.seen("PROPFIND") + wire.seen("REPORT"), asked);
}
