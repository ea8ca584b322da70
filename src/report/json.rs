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

/// Writes events as lines.
pub struct JsonLines<W: Write + Send> {
    out: Mutex<W>,
}

impl<W: Write + Send> JsonLines<W> {
    pub const fn new(out: W) -> Self {
        Self { out: Mutex::new(out) }
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
    use super::JsonLines;
    use crate::engine::{Event, Observer};

    #[test]
    fn an_event_is_a_versioned_line() {
        let lines = JsonLines::new(Vec::new());
        lines.hear(Event::Amended { account: "ada".into(), items: 2 });
        let text = String::from_utf8(lines.out.into_inner().unwrap()).unwrap();
        assert_eq!(text, "{\"v\":1,\"type\":\"amended\",\"account\":\"ada\",\"items\":2}\n");
    }
}
