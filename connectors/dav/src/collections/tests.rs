#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::answer::Answer;
use bytes::Bytes;
use transhume_http::HeaderMap;

fn want(path: &[&str]) -> Wanted {
    Wanted {
        account: AccountId::new("ann"),
        workload: Workload::Calendar,
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        parent: None,
        role: Role::Ordinary,
        known: None,
        adopt: false,
        claimed: std::sync::Arc::default(),
        appearance: Appearance::default(),
    }
}

fn standing(path: &str, name: &str) -> Standing {
    let name = Some(name.to_owned());
    Standing { path: path.to_owned(), name, fits: true, writable: Some(true), appearance: Appearance::default() }
}

fn made(want: &Wanted, all: &[Standing]) -> (String, String) {
    match choose(want, all, "/ann/", None, 1) {
        Choice::Make { path, name } => (path, name),
        Choice::Take(standing) => panic!("took {standing:?}"),
    }
}

fn taken(want: &Wanted, all: &[Standing], default: Option<&str>) -> String {
    match choose(want, all, "/ann/", default, 1) {
        Choice::Take(standing) => standing.path,
        Choice::Make { path, .. } => panic!("made {path}"),
    }
}

#[test]
fn what_was_made_is_found_again_whatever_people_call_it() {
    let want = want(&["Team", "Plans"]);
    let (path, name) = made(&want, &[]);
    assert_eq!(name, "Team / Plans");
    let renamed = [standing(&folder(&path), "Something else")];
    assert_eq!(taken(&want, &renamed, None), folder(&path));
    let known = Wanted { known: Some(CollectionId::new("/ann/old/")), ..want };
    let both = [standing("/ann/old/", "x"), renamed[0].clone()];
    assert_eq!(taken(&known, &both, None), "/ann/old/");
}

#[test]
fn a_name_that_is_taken_by_something_else_gets_a_number() {
    let want = want(&["Work"]);
    let all = [standing("/ann/office/", "work"), standing("/ann/other/", "Work (2)")];
    let (path, name) = made(&want, &all);
    assert_eq!(name, "Work (3)");
    assert!(path.starts_with("/ann/work-"));
    let adopting = Wanted { adopt: true, ..want.clone() };
    assert_eq!(taken(&adopting, &all, None), "/ann/office/");
    // A task list of that name is no calendar: nobody mistakes one for the other.
    let tasks = [Standing { fits: false, ..standing("/ann/office/", "Work") }];
    assert_eq!(made(&want, &tasks).1, "Work");
}

#[test]
fn a_trashed_collection_keeps_its_path_and_is_not_used() {
    let want = want(&["Work"]);
    let (first, _) = made(&want, &[]);
    let trashed = [Standing { fits: false, ..standing(&folder(&first), "Work") }];
    let (second, name) = made(&want, &trashed);
    assert!(second != first && second.ends_with("-2"), "{second}");
    assert_eq!(name, "Work");
}

#[test]
fn the_first_calendar_is_the_one_the_server_made() {
    let want = Wanted { role: Role::Default, ..want(&["Kalender"]) };
    let all = [standing("/ann/personal/", "Personal")];
    assert_eq!(taken(&want, &all, Some("personal")), "/ann/personal/");
    assert_eq!(made(&want, &all).1, "Kalender");
}

/// A Nextcloud account that nobody logged into has none: invitations go to the one that is called so.
#[test]
fn the_first_calendar_is_made_where_the_server_looks_for_it() {
    let at = |want: &Wanted, all: &[Standing], number| match choose(want, all, "/ann/", Some("personal"), number) {
        Choice::Make { path, name } => (path, name),
        Choice::Take(standing) => panic!("took {standing:?}"),
    };
    let want = Wanted { role: Role::Default, ..want(&["Kalender"]) };
    assert_eq!(at(&want, &[], 1), ("/ann/personal".to_owned(), "Kalender".to_owned()));
    let trashed = [Standing { fits: false, ..standing("/ann/personal/", "Personal") }];
    for (path, _) in [at(&want, &trashed, 1), at(&want, &[], 2)] {
        assert!(path.starts_with("/ann/kalender-"), "{path}");
    }
    let another = Wanted { role: Role::Ordinary, ..want };
    assert!(at(&another, &[], 1).0.starts_with("/ann/kalender-"));
}

#[test]
fn long_and_empty_names_are_made_to_fit() {
    assert_eq!(shown(&["x".repeat(400)]).len(), LONGEST_NAME);
    assert_eq!(shown(&["\u{7}".to_owned()]), "?");
}

/// As Radicale 3.9 answers.
#[test]
fn a_collection_is_read_with_everything_people_see() {
    let body = "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:I=\"http://apple.com/ns/ical/\">\
        <response><href>/ann/office/</href><propstat><prop><displayname>ann/office</displayname>\
        <resourcetype><C:calendar/><collection/></resourcetype><C:supported-calendar-component-set>\
        <C:comp name=\"VEVENT\"/></C:supported-calendar-component-set><I:calendar-color>#FF0000ff</I:calendar-color>\
        <I:calendar-order>3</I:calendar-order><current-user-privilege-set><privilege><read/></privilege>\
        </current-user-privilege-set></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>";
    let answer = Answer { status: 207, headers: HeaderMap::new(), body: Bytes::from(body) };
    let entries = answer.entries(&"http://127.0.0.1/".parse().unwrap()).unwrap();
    let found = read(&entries[0], Workload::Calendar);
    assert_eq!((found.name.clone(), found.shown()), (None, "office".to_owned()));
    assert!(found.fits && found.writable == Some(false));
    assert_eq!(found.appearance, Appearance { colour: Some("#ff0000".into()), order: Some(3) });
    assert!(!read(&entries[0], Workload::Tasks).fits && !read(&entries[0], Workload::Contacts).fits);
}

/// As Nextcloud 32 answers for a calendar that bob shares with ann, and for her own.
#[test]
fn what_others_share_is_not_the_accounts_own() {
    let body = "<d:multistatus xmlns:d=\"DAV:\">\
        <d:response><d:href>/remote.php/dav/calendars/ann/team_shared_by_bob/</d:href><d:propstat><d:prop>\
        <d:owner><d:href>/remote.php/dav/principals/users/bob/</d:href></d:owner></d:prop>\
        <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\
        <d:response><d:href>/remote.php/dav/calendars/ann/team/</d:href><d:propstat><d:prop>\
        <d:owner><d:href>/remote.php/dav/principals/users/Ann/</d:href></d:owner></d:prop>\
        <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\
        <d:response><d:href>/ann/untold/</d:href></d:response></d:multistatus>";
    let base = "http://127.0.0.1/".parse().unwrap();
    let entries = Answer { status: 207, headers: HeaderMap::new(), body: Bytes::from(body) }.entries(&base).unwrap();
    let own = |entry: &Entry| is_own(entry, "/remote.php/dav/principals/users/ann/", &base);
    assert_eq!(entries.iter().map(own).collect::<Vec<_>>(), [false, true, true]);
}
