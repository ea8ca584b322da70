//! Message-IDs that do not tell messages apart.

use super::{Shape, bent, head, shape, text};

/// The id that five mails share: two with different bodies, one to be filed elsewhere, one to be filed twice.
const SHARED: &str = "<shared.id@hostile.valmont.example>";

pub(super) fn shapes() -> Vec<Shape> {
    [odd(), shared()].concat()
}

fn odd() -> Vec<Shape> {
    let long = format!("<{}@hostile.valmont.example>", "m".repeat(1500));
    vec![
        bent("no-message-id", |head| head.without("Message-ID")),
        bent("no-message-id-no-date", |head| head.without("Message-ID").without("Date")),
        bent("message-id-with-blanks", |head| head.set("Message-ID", "< 17 mai 2026 @ poste 4 >")),
        bent("message-id-very-long", |head| head.set("Message-ID", long)),
        bent("message-id-folded", |head| head.set("Message-ID", "\r\n <folded.id@hostile.valmont.example>")),
        bent("message-id-without-brackets", |head| head.set("Message-ID", "no.brackets@hostile.valmont.example")),
        bent("message-id-two-in-one", |head| head.set("Message-ID", "<one@hostile> <two@hostile>")),
        bent("message-id-twice", |head| head.add("Message-ID", "<second@hostile.valmont.example>")),
        bent("message-id-empty", |head| head.set("Message-ID", "")),
        bent("message-id-8bit", |head| head.set("Message-ID", "<é\"quoted \\\\ id\"@hostile.valmont.example>")),
        bent("message-id-differs-in-case", |head| head.set("Message-ID", SHARED.to_uppercase())),
    ]
}

fn shared() -> Vec<Shape> {
    let with = |name: &'static str| shape(name, head(name).set("Message-ID", SHARED).with(text(name)));
    vec![
        with("same-message-id-first"),
        with("same-message-id-second"),
        with("same-message-id-elsewhere"),
        shape("identical-twice", head("identical").with(text("identical"))),
        shape("identical-twice-again", head("identical").with(text("identical"))),
    ]
}
