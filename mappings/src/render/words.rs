//! Encoded words (RFC 2047), extended parameters (RFC 2231) and folding (RFC 5322 section 2.2.3).
//!
//! Written here and not taken from mail-builder 0.4: that one puts encoded words between quotes, writes file names as
//! encoded words instead of RFC 2231, lets a line break in a subject through, and cannot rewrite part of a field, which
//! the filter needs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// RFC 5322 wishes at most 78 columns; two stay for the line end.
const WIDTH: usize = 76;
/// What an encoded word of at most 75 characters leaves beside `=?utf-8?Q?` and `?=`.
const ROOM: usize = 63;

/// A stretch of a field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// White space before it; empty when it follows directly.
    pub space: String,
    pub text: String,
    /// To be written as encoded words; else it is written as it is.
    pub encode: bool,
}

impl Token {
    pub fn plain(space: &str, text: &str) -> Self {
        Self { space: space.to_owned(), text: text.to_owned(), encode: false }
    }

    pub fn encoded(space: &str, text: &str) -> Self {
        Self { space: space.to_owned(), text: text.to_owned(), encode: true }
    }

    fn is_encoded_word(&self) -> bool {
        !self.encode && self.text.starts_with("=?") && self.text.ends_with("?=")
    }
}

/// One field, folded while it is written.
#[derive(Debug)]
pub(super) struct Field {
    text: String,
    line_start: usize,
    words: usize,
}

impl Field {
    pub fn new(name: &str) -> Self {
        Self { text: format!("{name}:"), line_start: 0, words: 0 }
    }

    /// Writes a word after `space`, on a new line if it would not fit. A word without space is never parted from the
    /// one before.
    pub fn word(&mut self, space: &str, word: &str) {
        let column = self.text.len() - self.line_start;
        if self.words > 0 && !space.is_empty() && column + space.len() + word.len() > WIDTH {
            self.text.push_str("\r\n");
            self.line_start = self.text.len();
        }
        self.text.push_str(space);
        self.text.push_str(word);
        self.words += 1;
    }

    /// Writes tokens; neighbouring encoded ones are joined, since readers drop the white space between encoded words.
    pub fn tokens(&mut self, tokens: &[Token]) {
        let mut rest = tokens;
        let mut after_encoded = false;
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|token| token.encode).count();
            if run == 0 {
                self.word(if after_encoded && first.is_encoded_word() { " " } else { &first.space }, &first.text);
                after_encoded = first.is_encoded_word();
                rest = &rest[1..];
                continue;
            }
            self.run(&rest[..run], after_encoded, rest.get(run));
            after_encoded = true;
            rest = &rest[run..];
        }
    }

    /// White space that stands between this run and an encoded word that was there before goes into the run.
    fn run(&mut self, run: &[Token], after_encoded: bool, next: Option<&Token>) {
        let first_space = run.first().map_or("", |token| token.space.as_str());
        let mut text = if after_encoded { first_space.to_owned() } else { String::new() };
        for (at, token) in run.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { &token.space });
            text.push_str(&token.text);
        }
        if let Some(next) = next.filter(|token| token.is_encoded_word()) {
            text.push_str(&next.space);
        }
        let mut space = if after_encoded { " " } else { first_space };
        for word in encoded_words(&text) {
            self.word(space, &word);
            space = " ";
        }
    }

    /// The field without its line end.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Splits text at white space into tokens; words beyond printable ASCII are to be encoded. Trailing space is dropped.
pub(super) fn unstructured(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        let start = rest.find(|c: char| !is_blank(c)).unwrap_or(rest.len());
        let (space, words) = rest.split_at(start);
        if words.is_empty() {
            return tokens;
        }
        let (word, after) = words.split_at(words.find(is_blank).unwrap_or(words.len()));
        tokens.push(Token { space: space.to_owned(), text: word.to_owned(), encode: !is_printable(word) });
        rest = after;
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Encoded words of at most 75 characters each, split between characters: `Q`, which people can read, when at least
/// every third character stands for itself, else `B`, which is shorter.
fn encoded_words(text: &str) -> Vec<String> {
    let readable = text.chars().filter(|&c| quoted_length(c) == 1).count();
    if readable * 3 >= text.chars().count() {
        chunks(text, ROOM, quoted_length).into_iter().map(|chunk| format!("=?utf-8?Q?{}?=", quote(chunk))).collect()
    } else {
        let room = ROOM / 4 * 3;
        chunks(text, room, char::len_utf8)
            .into_iter()
            .map(|chunk| format!("=?utf-8?B?{}?=", STANDARD.encode(chunk)))
            .collect()
    }
}

/// The characters RFC 2047 section 5 (3) lets stand in a phrase, the strictest place for a `Q` word.
const fn is_quoted_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '!' | '*' | '+' | '-' | '/')
}

fn quoted_length(c: char) -> usize {
    if c == ' ' || is_quoted_safe(c) { 1 } else { 3 * c.len_utf8() }
}

fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            ' ' => quoted.push('_'),
            safe if is_quoted_safe(safe) => quoted.push(safe),
            other => escape(&mut quoted, '=', other),
        }
    }
    quoted
}

fn escape(into: &mut String, mark: char, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        into.push(mark);
        into.push_str(&format!("{byte:02X}"));
    }
}

fn chunks(text: &str, room: usize, cost: impl Fn(char) -> usize) -> Vec<&str> {
    let mut chunks = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, c) in text.char_indices() {
        if used + cost(c) > room && at > start {
            chunks.push(&text[start..at]);
            (start, used) = (at, 0);
        }
        used += cost(c);
    }
    if start < text.len() {
        chunks.push(&text[start..]);
    }
    chunks
}

/// A parameter of Content-Type or Content-Disposition: `name="value"`, or RFC 2231 in as many pieces as needed.
pub(super) fn parameter(name: &str, value: &str) -> Vec<String> {
    if is_printable(value) && value.len() <= 60 {
        return vec![format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))];
    }
    let pieces = chunks(value, 54, percent_length);
    let lone = pieces.len() == 1;
    let piece = |(at, piece): (usize, &&str)| {
        let section = if lone { String::new() } else { format!("*{at}") };
        let charset = if at == 0 { "utf-8''" } else { "" };
        format!("{name}{section}*={charset}{}", percent(piece))
    };
    pieces.iter().enumerate().map(piece).collect()
}

/// `attribute-char` of RFC 2231 section 7, less what file names rarely hold.
const fn is_percent_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~')
}

fn percent_length(c: char) -> usize {
    if is_percent_safe(c) { 1 } else { 3 * c.len_utf8() }
}

fn percent(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if is_percent_safe(c) { escaped.push(c) } else { escape(&mut escaped, '%', c) }
    }
    escaped
}

/// Percent-escapes only what is no ASCII, for a value that is already in RFC 2231 form.
pub(super) fn percent_beyond_ascii(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii() { escaped.push(c) } else { escape(&mut escaped, '%', c) }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, tokens: &[Token]) -> String {
        let mut field = Field::new(name);
        field.tokens(tokens);
        field.finish()
    }

    #[test]
    fn plain_words_stay() {
        assert_eq!(field("Subject", &unstructured(" to be  or not")), "Subject: to be  or not");
    }

    #[test]
    fn neighbours_share_one_encoded_word() {
        assert_eq!(field("Subject", &unstructured(" où été fini")), "Subject: =?utf-8?Q?o=C3=B9_=C3=A9t=C3=A9?= fini");
    }

    #[test]
    fn space_beside_an_old_encoded_word_survives() {
        let before = field("S", &unstructured(" é =?utf-8?Q?x?= è"));
        assert_eq!(before, "S: =?utf-8?Q?=C3=A9_?= =?utf-8?Q?x?= =?utf-8?Q?_=C3=A8?=");
    }

    #[test]
    fn long_text_is_split_between_characters() {
        let text = "日本".repeat(40);
        let words = encoded_words(&text);
        assert!(words.len() > 1 && words.iter().all(|word| word.len() <= 75));
        let back: Vec<u8> =
            words.iter().flat_map(|word| STANDARD.decode(&word[10..word.len() - 2]).unwrap_or_default()).collect();
        assert_eq!(String::from_utf8_lossy(&back), text);
    }

    #[test]
    fn long_fields_fold_at_white_space() {
        let folded = field("Subject", &unstructured(&" word".repeat(40)));
        assert!(folded.lines().all(|line| line.len() <= 78));
        assert_eq!(folded.replace("\r\n", ""), format!("Subject:{}", " word".repeat(40)));
    }

    #[test]
    fn parameters_are_quoted_or_extended() {
        assert_eq!(parameter("filename", "a \"b\".txt"), [r#"filename="a \"b\".txt""#]);
        assert_eq!(parameter("filename", "été.pdf"), ["filename*=utf-8''%C3%A9t%C3%A9.pdf"]);
        let long = parameter("filename", &"é".repeat(30));
        assert!(long[0].starts_with("filename*0*=utf-8''%C3%A9") && long[1].starts_with("filename*1*=%C3%A9"));
    }
}
