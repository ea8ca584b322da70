//! Who is let in, and what `check` says of it.

use crate::{
    double::double,
    setting::{OnePassword, alice, bob, cyrus, started, target_at},
};
use std::sync::atomic::Ordering;
use transhume_contract::{AccountId, Finding, Reach, Scheduling, Severity, Target, VCard, What, Workload};
use transhume_dav::{DavConfig, DavTarget};
use transhume_servers::DavKind;

fn codes(access: &transhume_contract::Access) -> Vec<&str> {
    access.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[tokio::test]
async fn a_refused_secret_is_told_and_not_tried_again() {
    let server = started(DavKind::Radicale);
    let credential = OnePassword::new("wrong");
    let target = DavTarget::new(DavConfig::new(server.url()), credential.clone()).unwrap();
    let access = target.check(Some(&alice())).await.unwrap();
    assert_eq!(codes(&access), [Finding::LOGIN_REFUSED]);
    assert!(access.findings[0].sentence.contains("refused the login of alice"), "{}", access.findings[0].sentence);
    let asked = credential.asked.load(Ordering::Relaxed);
    let fault = target.traits(&alice()).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Account));
    assert!(credential.asked.load(Ordering::Relaxed) <= asked, "a refused secret was asked for again");
    for n in 0..2 {
        assert!(target.traits(&AccountId::new(format!("nobody{n}"))).await.is_err());
    }
    let fault = target.traits(&bob()).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Run), "{fault}");
}

#[tokio::test]
async fn servers_are_known_with_their_traits() {
    let (radicale, xandikos, cyrus) = (started(DavKind::Radicale), started(DavKind::Xandikos), cyrus());
    let cyrus = cyrus.dav_url().unwrap();
    for (url, name, scheduling, vcard) in [
        (radicale.url(), "Radicale", Scheduling::Unneeded, VCard::V3),
        (xandikos.url(), "Xandikos", Scheduling::Unneeded, VCard::V4),
        (cyrus.clone(), "Cyrus (3.6.1", Scheduling::ByClient, VCard::V3),
        (format!("{cyrus}dav/principals/user/alice/"), "Cyrus (3.6.1", Scheduling::ByClient, VCard::V3),
    ] {
        let target = target_at(&url);
        assert!(target.check(None).await.unwrap().worst().is_none_or(|worst| worst < Severity::Blocker));
        let access = target.check(Some(&alice())).await.unwrap();
        assert!(access.worst() == Some(Severity::Note), "{:?}", access.findings);
        assert!(access.findings[0].sentence.contains(name), "{:?}", access.findings);
        let traits = target.traits(&alice()).await.unwrap();
        assert_eq!(traits.workloads, [Workload::Calendar, Workload::Tasks, Workload::Contacts]);
        let objects = traits.profile.objects.unwrap();
        assert_eq!((objects.scheduling, objects.vcard), (scheduling, vcard), "{url}");
        assert!(traits.replaces && traits.tells_handle && traits.lanes >= traits.lanes_per_collection);
    }
}

#[tokio::test]
async fn an_administrator_is_told_where_the_server_does_not_allow_it() {
    let server = started(DavKind::Radicale);
    let target = DavTarget::new(DavConfig::new(server.url()), OnePassword::acting("bob", "secret")).unwrap();
    let fault = target.traits(&alice()).await.unwrap_err();
    assert_eq!(fault.what, What::Unauthenticated);
    assert!(fault.sentence.contains("shows bob no calendars of alice"), "{fault}");
    let wrong = DavTarget::new(DavConfig::new(server.url()), OnePassword::acting("bob", "wrong")).unwrap();
    assert_eq!(wrong.traits(&alice()).await.unwrap_err().reach, Reach::Run);
}

/// As Nextcloud 32 answers an administrator: where another's calendars are, and that there are none.
#[tokio::test]
async fn an_administrator_of_a_nextcloud_is_told_too() {
    const PRINCIPAL: &str = "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><response>\
        <href>/remote.php/dav/principals/users/alice/</href><propstat><prop><C:calendar-home-set>\
        <href>/remote.php/dav/calendars/alice/</href></C:calendar-home-set></prop><status>HTTP/1.1 200 OK</status>\
        </propstat></response></multistatus>";
    let url = double(&[
        ("PROPFIND /remote.php/dav/principals/users/alice/", 207, PRINCIPAL),
        ("OPTIONS", 200, ""),
        ("GET /status.php", 200, "{\"versionstring\":\"32.0.1\"}"),
    ])
    .await;
    let principal = Some("/remote.php/dav/principals/users/{account}/".into());
    let config = DavConfig { principal, ..DavConfig::new(url) };
    let target = DavTarget::new(config, OnePassword::acting("admin", "secret")).unwrap();
    assert!(target.traits(&alice()).await.is_ok());
    let fault = target.others(&alice(), Workload::Calendar, &[]).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Account));
    assert!(fault.sentence.contains("shows admin no calendars of alice (status 404)"), "{fault}");
}

#[tokio::test]
async fn what_is_no_calendar_server_says_so() {
    let server = started(DavKind::Radicale);
    let target = target_at(&format!("{}.web/", server.url()));
    // The well-known address still leads to it.
    assert!(target.traits(&alice()).await.is_ok());
    let nobody = DavTarget::new(DavConfig::new("http://127.0.0.1:1/"), OnePassword::new("secret")).unwrap();
    let access = nobody.check(None).await.unwrap();
    assert_eq!(codes(&access), ["unreachable"]);
}
