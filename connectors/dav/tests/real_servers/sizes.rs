//! A Radicale whose administrator allows small objects only, and refuses larger ones with 412 and no word.

use crate::{
    setting::{alice, calendar, event, key, observe, place, place_one, placing, target_at, wanted},
    whole::zoned,
};
use transhume_contract::{Cause, Fault, Outcome, Placement, Placing, Remedy, Target, What, Workload};
use transhume_dav::DavTarget;
use transhume_servers::{DavKind, DavOptions, DavServer, Wire, Words};

const LARGEST: u64 = 20_000;

fn small() -> DavServer {
    let options = DavOptions::with_accounts(DavKind::Radicale, &["alice", "bob"]);
    DavServer::start(DavOptions { largest: Some(LARGEST), ..options }).unwrap()
}

/// Lines whose ends are one letter and become two in the server: they grow by a tenth.
fn growing_lines(bytes: usize) -> String {
    "COMMENT:x\n".repeat(bytes / 10)
}

fn growing(uid: &str) -> String {
    event(uid, &growing_lines(18_600))
}

/// The same, of an event with a zone.
fn growing_in_its_zone(uid: &str) -> String {
    zoned(uid, 9).replace("SUMMARY:", &format!("{}SUMMARY:", growing_lines(18_000)))
}

fn is_over_limit(fault: &Fault) {
    let told = (fault.what, &fault.remedy, fault.outcome);
    assert_eq!(told, (What::TooLarge, &Remedy::Skip(Cause::OverTargetLimit), Outcome::NotDone), "{fault}");
}

async fn stands(target: &DavTarget, at: &transhume_contract::Collection) -> Vec<String> {
    let mut names: Vec<_> = observe(target, at).await.iter().map(|one| one.handle.as_str().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_limit_that_the_server_tells_is_obeyed() {
    let server = small();
    let target = target_at(&server.url());
    let traits = target.traits(&alice()).await.unwrap();
    assert_eq!(traits.max_item_bytes, Some(19_000));
    assert!(traits.profile.objects.unwrap().attachment_bytes < 19_000);
    let at = calendar(&target, "Small").await;
    let fault = place_one(&target, &at, "large", &event("large", &"COMMENT:x\r\n".repeat(2000))).await.unwrap_err();
    assert!(fault.sentence.contains("at most 19000"), "{fault}");
    is_over_limit(&fault);
    let said = target.check(Some(&alice())).await.unwrap().findings;
    assert!(said.iter().any(|finding| finding.sentence.contains("objects up to 19 kB")), "{said:?}");
}

/// Below what it tells, and above it when it has written it in its own way.
#[tokio::test]
async fn what_grows_over_the_limit_is_no_duplicate_and_nobodys_change() {
    let server = small();
    let target = target_at(&server.url());
    let at = calendar(&target, "Growing").await;
    let fault = place_one(&target, &at, "first", &growing("first")).await.unwrap_err();
    is_over_limit(&fault);
    assert!(stands(&target, &at).await.is_empty());
    let old = place_one(&target, &at, "grew", &event("grew", "")).await.unwrap();
    let next = Placing { instead: Some(old.clone()), ..placing("grew", &growing("grew")) };
    is_over_limit(&place(&target, &at, vec![next]).await.remove(0).1.unwrap_err());
    assert_eq!(stands(&target, &at).await, ["grew.ics"], "as it was placed");
    target.withdraw(&Placement { at: at.clone(), ..old }).await.unwrap();
}

#[tokio::test]
async fn no_reservation_stays_for_what_is_over_the_limit() {
    let server = small();
    let target = target_at(&server.url());
    let at = target.ensure(&wanted(Workload::Calendar, &["Reserved"])).await.unwrap();
    let batch = (0..20).map(|n| placing(&format!("z-{n}"), &zoned(&format!("z-{n}"), 9)));
    let batch = batch.chain([placing("large", &growing_in_its_zone("large"))]).collect();
    let answers = place(&target, &at, batch).await;
    let refused: Vec<_> = answers.iter().filter_map(|(_, answer)| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    is_over_limit(refused[0]);
    let raw = crate::raw::Raw::new(&server.url(), "alice", "secret");
    let path = format!("{}large.ics", at.id.as_str());
    assert_eq!(raw.status("GET", &path, &[], None).await, 404, "its reservation is gone with it");
    assert_eq!(stands(&target, &at).await.len(), 20);
}

/// It stored, and then said that it could not: of a whole, and of what takes a reserved place.
const STUMBLING: Words = &[
    ("HTTP/1.1 201 ", "HTTP/1.1 500 "),
    ("HTTP/1.0 201 ", "HTTP/1.0 500 "),
    ("HTTP/1.1 204 ", "HTTP/1.1 500 "),
    ("HTTP/1.0 204 ", "HTTP/1.0 500 "),
];

#[tokio::test]
async fn a_whole_that_was_stored_before_the_server_stumbled_stands() {
    let server = DavServer::start(DavOptions::with_accounts(DavKind::Radicale, &["alice"])).unwrap();
    let wire = Wire::start(server.port(), &[], STUMBLING).unwrap();
    wire.twist(false);
    let target = target_at(&wire.url());
    let at = target.ensure(&wanted(Workload::Calendar, &["Stumbled"])).await.unwrap();
    wire.twist(true);
    let texts: Vec<_> = (0..20).map(|n| (format!("w-{n}"), event(&format!("w-{n}"), ""))).collect();
    let zones: Vec<_> = (0..20).map(|n| (format!("z-{n}"), zoned(&format!("z-{n}"), 9))).collect();
    let batch = texts.iter().chain(&zones).map(|(uid, text)| placing(uid, text)).collect();
    let answers = place(&target, &at, batch).await;
    let told = |letter: char| answers.iter().filter(move |(intent, _)| intent.starts_with(letter));
    assert!(told('w').all(|(_, answer)| answer.as_ref().is_ok_and(|placed| placed.version.is_some())), "{answers:?}");
    let unknown = |answer: &Result<_, Fault>| answer.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown);
    assert!(told('z').all(|(_, answer)| unknown(answer)), "{answers:?}");
    let keys: Vec<_> = zones.iter().map(|(uid, text)| key(uid, text)).collect();
    assert_eq!(target.find(&at, &keys).await.unwrap().len(), 20, "each is found again");
    assert_eq!(observe(&target, &at).await.len(), 40, "each once");
}
