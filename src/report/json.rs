//! Events for scripts: one JSON object a line, versioned, the last line a `summary`.

use crate::engine::{Event, Observer};
use serde::Serialize;
use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

/// The version of the event format, raised when a field changes its meaning or goes away.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Line<'a, T: Serialize> {
    v: u32,
    #[serde(flatten)]
    what: &'a T,
}

/// A line of a verb's own, named by its type.
#[derive(Serialize)]
struct Typed<'a, T: Serialize> {
    r#type: &'a str,
    #[serde(flatten)]
    what: &'a T,
}

/// The last line of a verb.
#[derive(Serialize)]
struct Summary<'a, T: Serialize> {
    r#type: &'a str,
    verb: &'a str,
    #[serde(flatten)]
    figures: &'a T,
}

/// What a line says of one account, with the account's address before it.
#[derive(Serialize)]
pub struct Of<'a, T: Serialize> {
    pub account: &'a str,
    #[serde(flatten)]
    pub what: &'a T,
}

/// Writes events as lines.
pub struct JsonLines<W: Write + Send> {
    out: Mutex<W>,
}

impl<W: Write + Send> JsonLines<W> {
    pub const fn new(out: W) -> Self {
        Self { out: Mutex::new(out) }
    }

    /// Writes a line of this type.
    pub fn typed(&self, r#type: &str, what: &impl Serialize) {
        self.line(&Typed { r#type, what });
    }

    /// Writes the last line of a verb.
    pub fn summary(&self, verb: &str, figures: &impl Serialize) {
        self.line(&Summary { r#type: "summary", verb, figures });
    }

    /// Writes one line. A reader that went away is not an error: the work goes on.
    pub fn line(&self, what: &impl Serialize) {
        let Ok(mut text) = serde_json::to_string(&Line { v: VERSION, what }) else { return };
        text.push('\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _reader_may_be_gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

impl<W: Write + Send> Observer for JsonLines<W> {
    fn hear(&self, event: Event) {
        self.line(&event);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{JsonLines, Of};
    use crate::engine::{Event, Observer};

    #[test]
    fn a_verb_says_its_type_first_and_its_name_in_the_summary() {
        let lines = JsonLines::new(Vec::new());
        let figures = serde_json::json!({ "owed": 3 });
        lines.typed("standing", &Of { account: "ada", what: &figures });
        lines.summary("status", &figures);
        let text = String::from_utf8(lines.out.into_inner().unwrap()).unwrap();
        assert_eq!(
            text,
            "{\"v\":1,\"type\":\"standing\",\"account\":\"ada\",\"owed\":3}\n\
             {\"v\":1,\"type\":\"summary\",\"verb\":\"status\",\"owed\":3}\n"
        );
    }

    #[test]
    fn an_event_is_a_versioned_line() {
        let lines = JsonLines::new(Vec::new());
        lines.hear(Event::Amended { account: "ada".into(), items: 2 });
        let text = String::from_utf8(lines.out.into_inner().unwrap()).unwrap();
        assert_eq!(text, "{\"v\":1,\"type\":\"amended\",\"account\":\"ada\",\"items\":2}\n");
    }
}
