//! Tags and texts of HTML (HTML 13.2.5, without what only browsers need).

pub(super) enum Token<'a> {
    /// With its character references.
    Text(&'a str),
    Open(Tag),
    /// Name in lower case.
    Close(String),
}

pub(super) struct Tag {
    /// In lower case.
    pub name: String,
    /// `href`, with its character references.
    pub target: Option<String>,
}

/// Elements whose content is no text.
const SILENT: [&str; 4] = ["script", "style", "template", "title"];

pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// A head was met; there is one at most.
    head: bool,
}

impl<'a> Tokens<'a> {
    pub fn of(html: &'a str) -> Self {
        Self { rest: html, head: false }
    }

    /// Goes on after `text` so many bytes long.
    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn text(&mut self, length: usize) -> Option<Token<'a>> {
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        (!text.is_empty()).then_some(Token::Text(text))
    }

    /// Leaves out comments, declarations and processing instructions.
    fn skip_asides(&mut self) {
        while self.rest.starts_with("<!") || self.rest.starts_with("<?") {
            let end = if self.rest.starts_with("<!--") { "-->" } else { ">" };
            self.skip(self.rest.find(end).map_or(self.rest.len(), |at| at + end.len()));
        }
    }

    /// What begins with `<`.
    fn markup(&mut self) -> Option<Token<'a>> {
        let after = self.rest.get(1..).unwrap_or_default();
        match after.bytes().next() {
            Some(b'/') if after.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) => self.tag(2),
            Some(byte) if byte.is_ascii_alphabetic() => self.tag(1),
            _ => self.text(after.find('<').map_or(self.rest.len(), |next| next + 1)),
        }
    }

    fn tag(&mut self, name_at: usize) -> Option<Token<'a>> {
        // A tag without an end is text, and so is what follows: it has no `>` either.
        let Some(end) = end(self.rest) else { return self.text(self.rest.len()) };
        let inside = self.rest.get(name_at..end).unwrap_or_default();
        let length = inside.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(inside.len());
        let name = inside[..length].to_ascii_lowercase();
        self.skip(end + 1);
        if name_at == 2 {
            return Some(Token::Close(name));
        }
        let target = if name == "a" { attribute(&inside[length..], "href") } else { None };
        self.silence(&name);
        Some(Token::Open(Tag { name, target }))
    }

    /// Leaves out what an element holds that is no text.
    fn silence(&mut self, name: &str) {
        if SILENT.contains(&name) {
            self.skip(find_tag(self.rest, "/", name).unwrap_or(self.rest.len()));
        } else if name == "head" && !std::mem::replace(&mut self.head, true) {
            let end = find_tag(self.rest, "/", name).or_else(|| find_tag(self.rest, "", "body"));
            self.skip(end.unwrap_or(0));
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_asides();
        match self.rest.find('<') {
            Some(0) => self.markup(),
            Some(at) => self.text(at),
            None => self.text(self.rest.len()),
        }
    }
}

/// Where a tag ends: at the first `>` that is not in a quoted value, or, where a quote does not end, at the first.
fn end(text: &str) -> Option<usize> {
    let (mut quote, mut value) = (None, false);
    for (at, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (byte, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'>', None) => return Some(at),
            (b'"' | b'\'', None) if value => quote = Some(byte),
            (_, None) => {}
        }
        value = byte == b'=' || (value && byte.is_ascii_whitespace());
    }
    text.find('>')
}

fn find_tag(text: &str, before: &str, name: &str) -> Option<usize> {
    let is = |at: usize| {
        let after = text.get(at + 1..).and_then(|after| after.strip_prefix(before)).unwrap_or_default();
        after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    text.match_indices('<').map(|(at, _)| at).find(|at| is(*at))
}

/// The value of an attribute in the inside of a tag.
fn attribute(inside: &str, name: &str) -> Option<String> {
    let mut rest = inside;
    while let Some((before, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| ['"', '\''].contains(c));
        let (value, next) = match quote {
            Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            None => after.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((after, "")),
        };
        let this = before.trim_end().rsplit(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
        if this.eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = next;
    }
    None
}
