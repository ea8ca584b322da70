//! What an interrupted run left in people's calendars beside the events: `verify` names it, `push` removes it.

use crate::groupware::{groupware, recipe, standing};
use std::path::PathBuf;

/// As it stands in a Radicale after a run was killed while it filled a new calendar, when the event it holds a place for
/// was deleted at the source since.
const PLACEHOLDER: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:never-came\r\n\
    DTSTAMP:19700101T000000Z\r\nDTSTART;VALUE=DATE:19700101\r\nTRANSP:TRANSPARENT\r\nCLASS:PRIVATE\r\n\
    X-TRANSHUME-RESERVATION:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// Three of them beside the first event that stands there. Answers its calendar.
fn leave(before: &[(PathBuf, Vec<u8>)]) -> PathBuf {
    let is_event = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("BEGIN:VEVENT");
    let (event, _) = before.iter().find(|(_, bytes)| is_event(bytes)).unwrap();
    for n in 0..3 {
        let text = PLACEHOLDER.replace("never-came", &format!("never-came-{n}"));
        std::fs::write(event.with_file_name(format!("never-came-{n}.ics")), text).unwrap();
    }
    event.parent().unwrap().to_owned()
}

#[test]
fn placeholders_that_no_event_comes_for_are_named_by_verify_and_removed_by_push() {
    let (story, server) = groupware(&recipe(false));
    story.run(&["run"]).ok();
    let before = standing(&server);
    leave(&before);
    for depth in ["presence", "shape", "content"] {
        let verified = story.run(&["verify", "--depth", depth]);
        let left = "3 empty private placeholders left by an interrupted run where its events were to come (in ";
        verified.tells(4, &[left, "left_behind: `transhume push` ", "; 3 differences"]);
        assert!(!verified.out.contains("not placed by transhume"), "{}", verified.out);
    }
    story.run(&["status"]).tells(4, &["The last `verify` found 3 differences."]);
    story.run(&["push"]).ok();
    assert_eq!(standing(&server), before, "they are gone, and nothing else is");
    let status = story.run(&["status"]);
    assert!(!status.ok().out.contains("difference"), "{}", status.out);
    story.run(&["verify"]).tells(0, &["; 0 differences"]);
}

#[test]
fn a_calendar_that_people_deleted_with_placeholders_in_it_stays_deleted() {
    let (story, server) = groupware(&recipe(false));
    story.run(&["run"]).ok();
    let calendar = leave(&standing(&server));
    story.run(&["verify"]).tells(4, &["; 3 differences"]);
    std::fs::remove_dir_all(&calendar).unwrap();
    let before = standing(&server);
    story.run(&["push"]).ok();
    assert_eq!((standing(&server), calendar.exists()), (before, false));
    let status = story.run(&["status"]);
    assert!(!status.out.contains("difference"), "{}", status.out);
}
