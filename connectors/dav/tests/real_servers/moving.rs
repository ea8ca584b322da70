//! Moves on servers that know no MOVE, on those that tell people, and while somebody else writes.

use crate::{
    front::{Turn, front},
    setting::{OnePassword, calendar, event, observe, place, place_one, placing, started, target_at},
};
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use transhume_contract::{Collection, Outcome, Placement, Placing, Reach, Remedy, Target, What};
use transhume_dav::{DavConfig, DavTarget, Kind};
use transhume_servers::{DavKind, DavServer, RawDav, Wire, Words};

/// A verb that Radicale answers with 405, as a server does that knows no MOVE.
const NO_MOVE: Words = &[("MOVE /", "NONE /")];

/// A meeting as it is placed, and as people's own programs write it.
const MARKED: &str = "ORGANIZER:mailto:alice@lab.example\r\nATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:bob@lab.example\r\n";
const UNMARKED: &str = "ORGANIZER:mailto:alice@lab.example\r\nATTENDEE:mailto:bob@lab.example\r\n";

fn taken_for(kind: Kind, url: &str) -> DavTarget {
    let config = DavConfig { server: Some(kind), ..DavConfig::new(url) };
    DavTarget::new(config, OnePassword::new("secret")).unwrap()
}

async fn standing(target: &DavTarget, collections: [&Collection; 2]) -> [usize; 2] {
    let [from, to] = collections;
    [observe(target, from).await.len(), observe(target, to).await.len()]
}

/// As another program writes, which sets no conditions.
async fn people_write(server: &DavServer, at: &Collection, name: &str, text: &str) {
    let path = format!("{}{name}", at.id.as_str());
    RawDav::new(&server.url(), "alice", "secret").send("PUT", &path, text).await.unwrap();
}

#[tokio::test]
async fn a_move_by_copy_tells_nobody_of_what_people_wrote() {
    let server = started(DavKind::Radicale);
    let wire = Wire::start(server.port(), NO_MOVE, &[]).unwrap();
    let target = taken_for(Kind::Unknown, &wire.url());
    let (from, to) = (calendar(&target, "From").await, calendar(&target, "To").await);
    let quiet = place_one(&target, &from, "quiet", &event("quiet", MARKED)).await.unwrap();
    let moved = target.relocate(&quiet, &to, None).await.unwrap();
    assert_eq!((moved.handle, wire.seen("NONE")), (Some(quiet.handle), 1));
    assert_eq!(standing(&target, [&from, &to]).await, [0, 1], "what is marked is moved");
    let loud = place_one(&target, &from, "loud", &event("loud", MARKED)).await.unwrap();
    people_write(&server, &from, "loud.ics", &event("loud", UNMARKED)).await;
    let written = || (wire.seen("PUT"), wire.seen("DELETE"));
    let before = written();
    let fault = target.relocate(&loud, &to, None).await.unwrap_err();
    assert_eq!((fault.what, fault.outcome, fault.reach), (What::Forbidden, Outcome::NotDone, Reach::Item), "{fault}");
    assert_eq!(fault.remedy, Remedy::Later, "it is owed, and not given up");
    assert!(fault.sentence.contains("not moved") && fault.sentence.contains("SCHEDULE-AGENT=CLIENT"), "{fault}");
    assert_eq!(written(), before, "nothing was written, there or here");
    assert_eq!(standing(&target, [&from, &to]).await, [1, 1]);
}

/// What a server mails a cancellation of is not removed, either, where a copy of it stands already.
#[tokio::test]
async fn what_a_move_leaves_behind_is_not_removed_where_its_people_would_hear_of_it() {
    let server = started(DavKind::Radicale);
    let early = target_at(&server.url());
    let (from, to) = (calendar(&early, "From").await, calendar(&early, "To").await);
    let placed = place_one(&early, &from, "m", &event("m", UNMARKED)).await.unwrap();
    let copy = place_one(&early, &to, "m", &event("m", UNMARKED)).await.unwrap();
    let wire = Wire::start(server.port(), NO_MOVE, &[]).unwrap();
    let target = taken_for(Kind::Sogo, &wire.url());
    let fault = target.relocate(&placed, &to, Some(&copy.handle)).await.unwrap_err();
    assert_eq!(
        (fault.what, fault.outcome, &fault.remedy),
        (What::Forbidden, Outcome::NotDone, &Remedy::Later),
        "{fault}"
    );
    assert!(fault.sentence.contains("cancelled"), "{fault}");
    let third = calendar(&early, "Third").await;
    let fault = target.relocate(&placed, &third, None).await.unwrap_err();
    assert!(fault.what == What::Forbidden && fault.sentence.contains("not moved"), "{fault}");
    assert_eq!((wire.seen("PUT"), wire.seen("DELETE")), (0, 0), "nothing was written");
    assert_eq!(standing(&early, [&from, &to]).await, [1, 1]);
    // What nobody is in goes as ever.
    let alone = place_one(&target, &from, "alone", &event("alone", "")).await.unwrap();
    target.relocate(&alone, &third, None).await.unwrap();
    assert_eq!(standing(&early, [&from, &third]).await, [1, 1]);
}

/// Where Radicale keeps an item.
fn file(server: &DavServer, at: &Collection, name: &str) -> PathBuf {
    let collection = at.id.as_str().trim_matches('/');
    server.dir().join("data/collection-root").join(collection).join(name)
}

async fn replace(target: &DavTarget, old: &Placement, lines: &str) -> Result<transhume_contract::Placed, What> {
    let next = Placing { instead: Some(old.clone()), ..placing("m", &event("m", lines)) };
    place(target, &old.at, vec![next]).await.remove(0).1.map_err(|fault| fault.what)
}

const REFUSED: &str = "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A server that heeds the condition of a MOVE, and tells the ETag of what it moved.
#[tokio::test]
async fn what_somebody_writes_in_the_moment_of_a_move_is_theirs() {
    let server = started(DavKind::Radicale);
    let direct = target_at(&server.url());
    let (from, to) = (calendar(&direct, "From").await, calendar(&direct, "To").await);
    let placed = place_one(&direct, &from, "m", &event("m", "")).await.unwrap();
    let file = file(&server, &from, "m.ics");
    let ours = fs::read(&file).unwrap();
    let etag = replace(&direct, &placed, "LOCATION:theirs\r\n").await.unwrap().version.unwrap();
    let theirs = fs::read(&file).unwrap();
    fs::write(&file, ours).unwrap();
    let conditions = Arc::new(Mutex::new(Vec::<String>::new()));
    let (told, heard) = (format!("ETag: {}", etag.as_str()), conditions.clone());
    let url = front(server.port(), move |head| {
        if !head.starts_with("MOVE ") {
            return Turn::Pass;
        }
        let condition = head.lines().find_map(|line| line.strip_prefix("if-match: "));
        let mut heard = heard.lock().unwrap();
        heard.push(condition.unwrap_or_default().to_owned());
        match heard.len() {
            1 => {
                fs::write(&file, &theirs).unwrap();
                Turn::Say(REFUSED)
            }
            _ => Turn::With(told.clone()),
        }
    });
    let target = target_at(&url);
    let moved = target.relocate(&placed, &to, None).await.unwrap();
    let (first, second) = (placed.version.as_ref().unwrap(), &etag);
    assert_eq!(*conditions.lock().unwrap(), [first.as_str(), second.as_str()], "what was looked at is what is moved");
    assert_eq!(moved.version.as_ref(), Some(first), "their version is not ours");
    let there = Placement { at: to.clone(), handle: moved.handle.unwrap(), version: moved.version, ..placed };
    assert_eq!(replace(&target, &there, "LOCATION:ours\r\n").await.unwrap_err(), What::Forbidden);
    assert_eq!(target.withdraw(&there).await.unwrap_err().what, What::Forbidden);
    let seen = observe(&direct, &to).await.remove(0);
    assert!(String::from_utf8_lossy(&seen.content.unwrap()).contains("LOCATION:theirs"));
}

/// A server that compares ETags otherwise: without the condition it moves, and what was ours stays so.
#[tokio::test]
async fn what_nobody_wrote_is_moved_without_a_condition_that_a_server_does_not_understand() {
    let server = started(DavKind::Radicale);
    let url = front(server.port(), |head| match head.starts_with("MOVE ") && head.contains("\r\nif-match:") {
        true => Turn::Say(REFUSED),
        false => Turn::Pass,
    });
    let target = target_at(&url);
    let (from, to) = (calendar(&target, "From").await, calendar(&target, "To").await);
    let placed = place_one(&target, &from, "m", &event("m", "")).await.unwrap();
    let moved = target.relocate(&placed, &to, None).await.unwrap();
    assert_eq!(moved.version, placed.version, "Radicale's ETag is of what it holds, wherever that stands");
    assert_eq!(standing(&target, [&from, &to]).await, [0, 1]);
}
