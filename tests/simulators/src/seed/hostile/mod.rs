//! Mail that real mailboxes hold and that tools trip over: one shape for each way of being odd.

mod boundaries;
mod charsets;
mod dates;
mod encodings;
mod headers;
mod identity;
mod large;
mod lines;
mod meetings;
mod names;
mod parts;
mod recipients;
mod reports;
mod sealed;
mod tnef;

use super::mime::{Head, part};
use crate::dump::Content;

/// One odd mail.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What is odd about it: lower case, words joined by hyphens, unique.
    pub name: &'static str,
    pub mime: Content,
}

/// Every shape, always the same bytes in the same order. The huge ones are made when they are read.
#[must_use]
pub fn hostile_mails() -> Vec<Shape> {
    [
        charsets::shapes(),
        encodings::shapes(),
        parts::shapes(),
        boundaries::shapes(),
        names::shapes(),
        headers::shapes(),
        recipients::shapes(),
        dates::shapes(),
        identity::shapes(),
        lines::shapes(),
        sealed::shapes(),
        meetings::shapes(),
        reports::shapes(),
        large::shapes(),
    ]
    .concat()
}

const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit";

fn shape(name: &'static str, mime: Vec<u8>) -> Shape {
    Shape { name, mime: Content::from(mime) }
}

/// An ordinary header, to be bent.
pub(super) fn head(name: &str) -> Head {
    Head::new(&[
        ("From", "\"Claude Petit\" <claude.petit@voisin.example>"),
        ("To", "emilie.lefevre@valmont.example"),
        ("Subject", &name.replace('-', " ")),
        ("Date", "Tue, 05 May 2026 09:30:00 +0200"),
        ("Message-ID", &format!("<{name}@hostile.valmont.example>")),
        ("MIME-Version", "1.0"),
    ])
}

/// An ordinary text body that says which mail it is in.
pub(super) fn text(name: &str) -> Vec<u8> {
    part(TEXT, format!("Voici le message « {name} ».\r\n"))
}

/// A bent header over an ordinary body.
fn bent(name: &'static str, bend: impl FnOnce(Head) -> Head) -> Shape {
    shape(name, bend(head(name)).with(text(name)))
}

/// An ordinary header over any entity.
fn over(name: &'static str, entity: impl AsRef<[u8]>) -> Shape {
    shape(name, head(name).with(entity))
}
