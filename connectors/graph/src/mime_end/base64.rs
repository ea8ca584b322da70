//! Whether a body in base64 came to its own end (RFC 2045 section 6.8): padding ends it, and so does a line that is
//! shorter than those before it. Without either, its end looks like any of its lines.

/// A line shorter than this is no full line of any encoder; RFC 2045 allows 76 characters, PEM uses 64.
const FULL: usize = 60;

/// Watches a body in base64 go by, in pieces of any size.
#[derive(Debug, Default)]
pub struct Base64Watch {
    characters: u64,
    padding: u64,
    line: usize,
    /// The last line that held anything.
    last: usize,
    longest: usize,
    /// Something that is no base64, or more of it behind its padding.
    strange: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base64End {
    /// As only a whole body ends.
    Whole,
    /// Before its first character, in the middle of a group of four, or where any line may end.
    Open,
    /// It is no base64: its end tells nothing.
    Other,
}

impl Base64Watch {
    pub fn take(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                    self.strange |= self.padding > 0;
                    self.characters += 1;
                    self.line += 1;
                }
                b'=' => {
                    self.padding += 1;
                    self.line += 1;
                }
                b' ' | b'\t' | b'\r' => {}
                _ => self.strange = true,
            }
        }
    }

    pub fn end_line(&mut self) {
        if self.line > 0 {
            self.last = self.line;
            self.longest = self.longest.max(self.line);
        }
        self.line = 0;
    }

    /// The verdict, once the stream has ended.
    pub fn end(&self) -> Base64End {
        let grouped = (self.characters + self.padding).is_multiple_of(4);
        let line_ended = self.line == 0;
        let short = self.last < self.longest || self.last < FULL;
        match () {
            () if self.strange => Base64End::Other,
            () if self.characters > 0 && grouped && (self.padding > 0 || (line_ended && short)) => Base64End::Whole,
            () => Base64End::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(body: &str) -> Base64End {
        let mut watch = Base64Watch::default();
        for line in body.split_inclusive('\n') {
            watch.take(line.trim_end_matches('\n').as_bytes());
            if line.ends_with('\n') {
                watch.end_line();
            }
        }
        watch.end()
    }

    #[test]
    fn padding_or_a_short_line_ends_a_body() {
        let full = "QUJD".repeat(19);
        assert_eq!(judge(&format!("{full}\r\n{full}\r\nQUI=\r\n")), Base64End::Whole);
        assert_eq!(judge(&format!("{full}\r\n{full}\r\nQQ==")), Base64End::Whole);
        assert_eq!(judge(&format!("{full}\r\nQUJD\r\n\r\n")), Base64End::Whole);
        assert_eq!(judge("QUJD\r\n"), Base64End::Whole);
        assert_eq!(judge(&format!("{full}\r\n{full}\r\n")), Base64End::Open);
        assert_eq!(judge(&format!("{full}\r\nQUJD")), Base64End::Open);
        assert_eq!(judge(&format!("{full}\r\nQQ=")), Base64End::Open);
        assert_eq!(judge("Not base64, whatever the header says.\r\n"), Base64End::Other);
    }
}
