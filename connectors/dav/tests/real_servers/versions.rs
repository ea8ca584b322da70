//! Versions: only what the server told of what we wrote is ours, and what people wrote stays theirs wherever it goes.

use crate::setting::{
    OnePassword, calendar, cyrus, event, key, observe, place, place_one, placing, started, target_at,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncRead;
use transhume_contract::{
    Body, Cause, Collection, Digest, Fault, Outcome, Placed, Placement, Placing, Remedy, Target, What,
};
use transhume_dav::{DavConfig, DavTarget, Kind};
use transhume_servers::{DavKind, Wire, Words};

/// What a server says of an ETag in a header is not heard.
const NO_ETAG: Words = &[("ETag: ", "XTag: "), ("Etag: ", "Xtag: ")];

fn port_of(url: &str) -> u16 {
    url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

/// The same item, put in the place of what stands there.
async fn replace(target: &DavTarget, old: &Placement, uid: &str, lines: &str) -> Result<Placed, Fault> {
    let text = event(uid, lines);
    let next = Placing { instead: Some(old.clone()), ..placing(uid, &text) };
    place(target, &old.at, vec![next]).await.remove(0).1
}

/// Where it stands after it was moved.
fn after(old: &Placement, to: &Collection, moved: Placed) -> Placement {
    Placement { at: to.clone(), handle: moved.handle.unwrap(), version: moved.version, ..old.clone() }
}

async fn says(target: &DavTarget, at: &Collection) -> String {
    let seen = observe(target, at).await;
    assert_eq!(seen.len(), 1);
    String::from_utf8(seen[0].content.clone().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn what_people_changed_before_a_move_is_theirs_after_it() {
    let (radicale, xandikos, cyrus) = (started(DavKind::Radicale), started(DavKind::Xandikos), cyrus());
    for url in [radicale.url(), xandikos.url(), cyrus.dav_url().unwrap()] {
        let target = target_at(&url);
        let (from, to) = (calendar(&target, "From").await, calendar(&target, "To").await);
        let placed = place_one(&target, &from, "m", &event("m", "")).await.unwrap();
        replace(&target, &placed, "m", "LOCATION:theirs\r\n").await.unwrap();
        let moved = after(&placed, &to, target.relocate(&placed, &to, None).await.unwrap());
        let refused = replace(&target, &moved, "m", "LOCATION:ours\r\n").await.unwrap_err();
        assert_eq!(refused.what, What::Forbidden, "{url}: {refused}");
        let kept = target.withdraw(&moved).await.unwrap_err();
        assert_eq!(kept.what, What::Forbidden, "{url}: {kept}");
        assert!(says(&target, &to).await.contains("LOCATION:theirs"), "{url}");
        // And what nobody changed is ours to replace.
        let own = place_one(&target, &from, "n", &event("n", "")).await.unwrap();
        let own = after(&own, &to, target.relocate(&own, &to, None).await.unwrap());
        replace(&target, &own, "n", "LOCATION:ours\r\n").await.unwrap();
    }
}

#[tokio::test]
async fn an_etag_that_no_answer_told_is_not_asked_for_afterwards() {
    let (radicale, xandikos) = (started(DavKind::Radicale), started(DavKind::Xandikos));
    for server in [radicale, xandikos] {
        let wire = Wire::start(server.port(), &[], NO_ETAG).unwrap();
        let target = target_at(&wire.url());
        let at = calendar(&target, "Untold").await;
        let placed = place_one(&target, &at, "u", &event("u", "")).await.unwrap();
        assert_eq!(placed.version, None, "it may be that of somebody's next change");
        let refused = replace(&target, &placed, "u", "LOCATION:ours\r\n").await.unwrap_err();
        assert_eq!(refused.what, What::Forbidden, "{refused}");
        // What stands there tells its version with what it says: the engine compares, and then it is known.
        let seen = observe(&target, &at).await.remove(0);
        let known = Placement { version: seen.version, ..placed };
        replace(&target, &known, "u", "LOCATION:ours\r\n").await.unwrap();
    }
}

#[tokio::test]
async fn cyrus_tells_the_version_of_a_meeting_in_its_answer() {
    let server = cyrus();
    let wire = Wire::start(port_of(&server.dav_url().unwrap()), &[], &[]).unwrap();
    let target = target_at(&wire.url());
    let (at, to) = (calendar(&target, "Meetings").await, calendar(&target, "Moved").await);
    let more = calendar(&target, "More").await;
    let people = "ORGANIZER:mailto:alice@lab.example\r\nATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:b@elsewhere.example\r\n";
    let placed = place_one(&target, &at, "m", &event("m", people)).await.unwrap();
    let newer = replace(&target, &placed, "m", &format!("{people}LOCATION:there\r\n")).await.unwrap();
    let several = (0..6).map(|n| format!("s{n}")).collect::<Vec<_>>();
    let several = several.iter().map(|uid| placing(uid, &event(uid, people))).collect();
    for (_, placed) in place(&target, &more, several).await {
        assert!(placed.unwrap().version.is_some());
    }
    assert_eq!((wire.seen("POST"), wire.seen("REPORT")), (1, 0), "nothing was asked for after the writes");
    let seen = observe(&target, &at).await.remove(0);
    assert!(placed.version.is_some() && newer.version == seen.version && seen.version != placed.version);
    // It writes a meeting anew when it moves it, and tells no ETag.
    let standing = after(&placed, &at, newer);
    let moved = target.relocate(&standing, &to, None).await.unwrap();
    assert_eq!(moved.version, None);
}

/// It stored, and then said that it could not.
const STUMBLING: Words = &[("HTTP/1.1 201 ", "HTTP/1.1 500 "), ("HTTP/1.0 201 ", "HTTP/1.0 500 ")];
/// It did not store, and says no more than that it could not.
const SILENT: Words = &[("HTTP/1.1 400 ", "HTTP/1.1 500 "), ("HTTP/1.0 400 ", "HTTP/1.0 500 ")];

#[tokio::test]
async fn a_server_that_stumbles_is_looked_at_before_it_is_believed() {
    let server = started(DavKind::Radicale);
    let at = calendar(&target_at(&server.url()), "Stumbled").await;
    let after = target_at(&Wire::start(server.port(), &[], STUMBLING).unwrap().url());
    let fault = place_one(&after, &at, "s", &event("s", "")).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Unknown, "{fault}");
    assert_eq!(after.find(&at, &[key("s", &event("s", ""))]).await.unwrap().len(), 1);
    let before = target_at(&Wire::start(server.port(), &[], SILENT).unwrap().url());
    let fault = place_one(&before, &at, "bad", &event("bad", "RRULE:FREQ=NEVER\r\n")).await.unwrap_err();
    assert_eq!((fault.outcome, fault.code.as_deref()), (Outcome::NotDone, Some("HTTP 500")), "{fault}");
    assert_eq!(observe(&before, &at).await.len(), 1);
}

/// As SOGo 5.8 does not heed it.
const UNHEEDED: Words = &[("if-none-match:", "xf-none-match:"), ("If-None-Match:", "Xf-None-Match:")];

#[tokio::test]
async fn a_server_that_heeds_no_condition_is_looked_at_first() {
    let server = started(DavKind::Radicale);
    let wire = Wire::start(server.port(), UNHEEDED, &[]).unwrap();
    let config = DavConfig { server: Some(Kind::Sogo), ..DavConfig::new(wire.url()) };
    let target = DavTarget::new(config, OnePassword::new("secret")).unwrap();
    let at = calendar(&target, "Unheeded").await;
    place_one(&target, &at, "u", &event("u", "LOCATION:theirs\r\n")).await.unwrap();
    let fault = place_one(&target, &at, "u", &event("u", "LOCATION:ours\r\n")).await.unwrap_err();
    assert_eq!((fault.what, &fault.remedy), (What::Exists, &Remedy::Skip(Cause::DuplicateUid)), "{fault}");
    assert!(says(&target, &at).await.contains("LOCATION:theirs"));
}

/// A body that notes how many requests had gone through when it was opened.
struct Noting {
    text: Bytes,
    wire: Arc<Wire>,
    opened: Arc<Mutex<Vec<u64>>>,
}

#[async_trait]
impl Body for Noting {
    fn length(&self) -> u64 {
        self.text.len() as u64
    }
    fn digest(&self) -> Digest {
        Digest::of(&self.text)
    }
    fn at_hand(&self) -> Option<Bytes> {
        None
    }
    async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, Fault> {
        self.opened.lock().unwrap().push(self.wire.seen("PUT"));
        Ok(Box::new(std::io::Cursor::new(self.text.clone())))
    }
}

/// However many are replaced in one call, no more of them are in memory than are on their way.
#[tokio::test]
async fn what_replaces_is_read_when_its_turn_comes() {
    let server = started(DavKind::Xandikos);
    let wire = Arc::new(Wire::start(server.port(), &[], &[]).unwrap());
    let target = target_at(&wire.url());
    let at = calendar(&target, "Replaced").await;
    let mut olds = Vec::new();
    for n in 0..6 {
        olds.push(place_one(&target, &at, &format!("r-{n}"), &event(&format!("r-{n}"), "")).await.unwrap());
    }
    let opened = Arc::new(Mutex::new(Vec::new()));
    let next = |(n, old): (usize, Placement)| {
        let uid = format!("r-{n}");
        let text = Bytes::from(event(&uid, "LOCATION:new\r\n"));
        let body = Arc::new(Noting { text, wire: wire.clone(), opened: opened.clone() });
        Placing { instead: Some(old), body, ..placing(&uid, "") }
    };
    let answers = place(&target, &at, olds.into_iter().enumerate().map(next).collect()).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{answers:?}");
    assert_eq!(*opened.lock().unwrap(), [6, 7, 8, 9, 10, 11], "requests that had gone through");
}
