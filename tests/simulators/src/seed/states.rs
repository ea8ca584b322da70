//! Ordinary bytes in odd circumstances: drafts, mail in folders that are no folders, items that never come.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::NOW;
use super::dice::Dice;
use super::hostile::{head, text};
use super::mailbox::Mailbox;
use super::mime::{self, Head};
use super::resource::{Flag, Standing, message, object};
use crate::dump::Content;

/// A mail, and where and how it stands.
#[derive(Clone)]
struct State {
    role: &'static str,
    mime: Vec<u8>,
    bend: fn(&mut Standing),
}

/// Adds one mail of every state.
pub(super) fn fill(mailbox: &mut Mailbox, dice: &mut Dice) {
    let all = [drafts(), system_folders(), classes(), permanent_failures(), links()].concat();
    for (number, state) in all.into_iter().enumerate() {
        let content = Content::from(state.mime);
        let mut standing = Standing::plain(&mailbox.id_of(state.role), received(number));
        (state.bend)(&mut standing);
        mailbox.push(message(dice, &content, &standing), content);
    }
}

fn received(number: usize) -> Timestamp {
    let hours = SignedDuration::from_hours(i64::try_from(number).unwrap_or(0) * 5 + 1);
    NOW.checked_sub(hours).unwrap_or(NOW)
}

fn state(name: &'static str, role: &'static str, bend: fn(&mut Standing)) -> State {
    State { role, mime: head(name).with(text(name)), bend }
}

fn drafts() -> Vec<State> {
    let draft: fn(&mut Standing) = |standing| standing.is_draft = true;
    let bare = Head::new(&[("MIME-Version", "1.0")]).with(text("draft-bare"));
    let unsent = head("draft-unsent").without("Date").without("Message-ID").without("From").with(text("draft-unsent"));
    vec![
        State { mime: bare, ..state("draft-bare", "drafts", draft) },
        State { mime: unsent, ..state("draft-unsent", "drafts", draft) },
        state("draft-complete", "drafts", draft),
        state("draft-in-inbox", "inbox", draft),
        state("draft-unread-and-flagged", "drafts", |standing| {
            (standing.is_draft, standing.is_read, standing.flag) = (true, false, Flag::Flagged);
        }),
        state("outbox-waiting", "outbox", draft),
    ]
}

fn system_folders() -> Vec<State> {
    vec![
        state("conversation-of-chat", "conversationhistory", |standing| {
            standing.class = "IPM.Note.Microsoft.Conversation"
        }),
        state("sync-log", "syncissues", |standing| standing.is_read = false),
        state("conflict-copy", "conflicts", |_| ()),
        state("local-failure", "localfailures", |_| ()),
        state("server-failure", "serverfailures", |_| ()),
        state("recoverable-one", "recoverableitemsdeletions", |_| ()),
        state("recoverable-two", "recoverableitemsdeletions", |standing| standing.is_read = false),
        state("deleted-unread", "deleteditems", |standing| standing.is_read = false),
        state("junk-unread", "junkemail", |standing| standing.is_read = false),
        state("archived-flagged", "archive", |standing| standing.flag = Flag::Flagged),
    ]
}

fn classes() -> Vec<State> {
    vec![
        state("sticky-note", "inbox", |standing| standing.class = "IPM.StickyNote"),
        state("posted-note", "inbox", |standing| standing.class = "IPM.Post"),
        state("voice-mail", "inbox", |standing| standing.class = "IPM.Note.Microsoft.Voicemail.UM.CA"),
        state("sharing-invitation", "inbox", |standing| standing.class = "IPM.Sharing"),
        state("own-form", "inbox", |standing| standing.class = "IPM.Note.Mairie.Courrier"),
    ]
}

/// Items that answer an error for ever. The second makes every list page that holds it an error too.
fn permanent_failures() -> Vec<State> {
    vec![
        state("fails-corrupt", "inbox", |standing| standing.extra = failing("ErrorCorruptData", false)),
        state("fails-and-poisons", "inbox", |standing| standing.extra = failing("ErrorContentConversionFailed", true)),
        state("fails-recipients", "inbox", |standing| standing.extra = failing("ErrorInvalidRecipients", false)),
        state("fails-in-archive", "archive", |standing| standing.extra = failing("ErrorCorruptData", false)),
    ]
}

fn failing(code: &str, poisons: bool) -> Map<String, Value> {
    object(if poisons {
        json!({ "_sim": { "fails": code, "poisons": true } })
    } else {
        json!({ "_sim": { "fails": code } })
    })
}

/// A file shared as a link: the MIME holds the link in its text, the JSON lists it as an attachment.
fn links() -> Vec<State> {
    let html = "<p>Le plan : <a href=\"https://valmont-my.sharepoint.example/plan.dwg\">plan.dwg</a></p>";
    let mime = head("linked-file").with(mime::text("html", html));
    vec![State {
        mime,
        ..state("linked-file", "inbox", |standing| {
            standing.extra = object(json!({ "hasAttachments": true, "_sim": { "attachments": [{
                "@odata.type": "#microsoft.graph.referenceAttachment", "id": "AAMkAGlinked=", "name": "plan.dwg",
                "contentType": null, "size": 411, "isInline": false, "lastModifiedDateTime": "2026-05-05T07:30:00Z",
            }] } }));
        })
    }]
}
