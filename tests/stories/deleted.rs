//! What people delete at Microsoft 365 stays at the new server, unless it is asked to go; then only what is ours goes, and
//! nothing that anybody touched there.

use crate::mailbox::{Mail, look, open, to};
use crate::setting::{Story, ordinary, server};
use serde_json::json;

/// Two messages of the inbox that are gone at the source: one nobody touched at the target, one flagged by hand there.
fn story() -> (Story, Mail, Mail) {
    let story = Story::with_server(&ordinary(1, 20), server(1));
    story.run(&["run"]).ok();
    let inbox: Vec<_> =
        look(&story, 1).into_iter().filter(|mail| mail.folder == "INBOX" && !mail.id.is_empty()).collect();
    let [untouched, theirs] = [inbox[0].clone(), inbox[1].clone()];
    to(&story, &theirs, "UID STORE {} +FLAGS (Mine)");
    for mail in [&untouched, &theirs] {
        let message = format!("<{}>", mail.id);
        story.mutate(json!({ "op": "delete", "user": story.addresses[0], "message": message, "hard": true }));
    }
    let own = b"Message-ID: <theirs@example>\r\nSubject: new mail\r\n\r\nof their own\r\n";
    assert!(open(&story, 1).append("INBOX", "", own).unwrap().is_ok());
    (story, untouched, theirs)
}

fn ids(story: &Story) -> Vec<String> {
    let mut ids: Vec<_> = look(story, 1).into_iter().map(|mail| mail.id).collect();
    ids.sort();
    ids
}

#[test]
fn what_was_deleted_at_the_source_stays_and_is_counted() {
    let (story, ..) = story();
    let before = ids(&story);
    story
        .run(&["run"])
        .complains(0, &["deleted at the source, kept at the target: 2 messages (policy withdraw_deleted)"]);
    assert_eq!(ids(&story), before);
    let only_what_people_did =
        ["is reflagged: categories (in INBOX", "; 1 difference; 1 item at the target not placed by"];
    story.run(&["verify"]).tells(4, &only_what_people_did);
}

#[test]
fn when_asked_only_what_is_ours_and_untouched_goes() {
    let (story, untouched, theirs) = story();
    let text = std::fs::read_to_string(story.project().join("transhume.toml")).unwrap();
    story.write("transhume.toml", format!("{text}\n[policy]\nwithdraw_deleted = true\n"));
    let before = ids(&story);
    let foreseen = "deleted at the source, to be withdrawn at the target: 2 messages (policy withdraw_deleted)";
    let dry = story.run(&["run", "--dry-run"]);
    assert!(dry.err.contains(foreseen), "the count comes first: {}", dry.err);
    // That one of them was touched at the server is not known before it is tried.
    dry.tells(
        0,
        &["rehearsed: 2 withdrawn, in ", "At most so many are withdrawn: what people changed at the target stays"],
    );
    let summary = story.run(&["push", "--dry-run", "--json"]).summary();
    assert_eq!((&summary["withdrawn"], &summary["at_most"]), (&json!(2), &json!(["withdrawn"])), "{summary}");
    assert_eq!(ids(&story), before, "a rehearsal takes nothing away");

    let run = story.run(&["run", "--json"]);
    assert_eq!(run.summary()["withdrawn"], 1, "{run:?}");
    let expected: Vec<_> = before.iter().filter(|id| **id != untouched.id).cloned().collect();
    let after = ids(&story);
    assert_eq!(after, expected, "one goes, and neither {} nor mail of their own does", theirs.id);
    let status = story.run(&["status", "--items"]);
    assert!(status.out.contains("its flags were changed there since; it is left alone"), "{}", status.out);
    assert!(status.out.contains("Delete it on the mail server by hand if it shall go."), "{}", status.out);

    assert_eq!(story.run(&["run", "--json"]).summary()["withdrawn"], 0, "nor later");
    assert_eq!(ids(&story), after);
}
