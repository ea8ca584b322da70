//! 8-bit bytes in a header field, written as RFC 2047 and RFC 2231 want them.
//!
//! The bytes are read as UTF-8 when they are, else as windows-1252, which is what old Western mailers sent. Existing
//! ASCII stays as it is; only the folding of the field is new.

use crate::render::words::{Field, Token, is_printable, parameter, percent_beyond_ascii, unstructured};
use std::borrow::Cow;

/// Fields whose value is a list of addresses (RFC 5322 sections 3.6.2, 3.6.3, 3.6.6).
const ADDRESS_FIELDS: [&str; 14] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "resent-bcc",
    "return-path",
    "disposition-notification-to",
    "errors-to",
];

/// Fields whose value is a word with parameters (RFC 2045 section 5.1, RFC 2183).
const PARAMETER_FIELDS: [&str; 2] = ["content-type", "content-disposition"];

pub(super) struct Recoded {
    pub text: String,
    /// Which field, and how its bytes were read.
    pub detail: String,
}

/// Rewrites one field, given with its line ends. A field without a line end (the input ended) stays without.
pub(super) fn field(bytes: &[u8]) -> Recoded {
    let end = if bytes.ends_with(b"\r\n") {
        "\r\n"
    } else if bytes.ends_with(b"\n") {
        "\n"
    } else {
        ""
    };
    let (text, charset) = guess(bytes);
    let text = unfold(&text);
    let (name, value) = text.split_once(':').filter(|(name, _)| is_printable(name)).unwrap_or(("", &text));
    let mut field = Recoding::of(name).write(name, value);
    field.push_str(end);
    let shown = if name.is_empty() { "a line without a name" } else { name };
    Recoded { text: field, detail: format!("{shown}: bytes beyond ASCII read as {charset} and encoded") }
}

fn guess(bytes: &[u8]) -> (Cow<'_, str>, &'static str) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), "UTF-8"),
        Err(_) => (encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0, "windows-1252"),
    }
}

fn unfold(text: &str) -> String {
    text.trim_end_matches(['\r', '\n']).replace("\r\n", "").replace('\n', "")
}

enum Recoding {
    Text,
    Addresses,
    Parameters,
}

impl Recoding {
    fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        if ADDRESS_FIELDS.contains(&name.as_str()) {
            Self::Addresses
        } else if PARAMETER_FIELDS.contains(&name.as_str()) {
            Self::Parameters
        } else {
            Self::Text
        }
    }

    fn write(&self, name: &str, value: &str) -> String {
        if name.is_empty() {
            return mbox_line(value);
        }
        let mut field = Field::new(name);
        match self {
            Self::Text => field.tokens(&with_first_space(unstructured(value))),
            Self::Addresses => field.tokens(&with_first_space(address_tokens(value))),
            Self::Parameters => parameters(&mut field, value),
        }
        field.finish()
    }
}

/// An mbox `From ` line, or a continuation without a field: there is no grammar to keep but its first word.
fn mbox_line(line: &str) -> String {
    percent_beyond_ascii(line)
}

fn with_first_space(mut tokens: Vec<Token>) -> Vec<Token> {
    if let Some(first) = tokens.first_mut().filter(|token| token.space.is_empty()) {
        first.space.push(' ');
    }
    tokens
}

/// Splits an address list into words, quoted strings, comments and specials; what is beyond ASCII is to be encoded.
fn address_tokens(value: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = value;
    loop {
        let start = rest.find(|c: char| c != ' ' && c != '\t').unwrap_or(rest.len());
        let (space, after) = rest.split_at(start);
        let Some(first) = after.chars().next() else { return tokens };
        let (piece, after) = after.split_at(piece_length(after, first));
        push_piece(&mut tokens, space, first, piece);
        rest = after;
    }
}

fn piece_length(text: &str, first: char) -> usize {
    match first {
        '"' => closing(text, '"', '"'),
        '(' => closing(text, '(', ')'),
        ',' | ';' | ':' | '<' | '>' | ')' => 1,
        _ => text.find(|c: char| " \t\"(),;:<>".contains(c)).unwrap_or(text.len()),
    }
}

/// Length up to and with the closing mark; backslash escapes, and comments nest.
fn closing(text: &str, open: char, close: char) -> usize {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == close && (open != close || at > 0) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + c.len_utf8();
            }
        } else if c == open {
            depth += 1;
        }
    }
    text.len()
}

fn push_piece(tokens: &mut Vec<Token>, space: &str, first: char, piece: &str) {
    if is_printable(piece) {
        let needs_gap = first == '<' && space.is_empty() && tokens.last().is_some_and(|token| token.encode);
        return tokens.push(Token::plain(if needs_gap { " " } else { space }, piece));
    }
    let needs_gap = space.is_empty() && tokens.last().is_some_and(|token| [",", ";", ":", ">"].contains(&&*token.text));
    let space = if needs_gap { " " } else { space };
    match first {
        '"' => tokens.push(Token::encoded(space, &unescape(between(piece, '"', '"')))),
        '(' => {
            tokens.push(Token::plain(space, "("));
            tokens.push(Token::encoded("", &unescape(between(piece, '(', ')'))));
            tokens.push(Token::plain("", ")"));
        }
        _ => tokens.push(Token::encoded(space, piece)),
    }
}

fn between(piece: &str, open: char, close: char) -> &str {
    let inner = piece.strip_prefix(open).unwrap_or(piece);
    inner.strip_suffix(close).unwrap_or(inner)
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut escaped = false;
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

fn parameters(field: &mut Field, value: &str) {
    let pieces = split_parameters(value);
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            field.word("", ";");
        }
        for (section, text) in recoded_parameter(piece.trim()).iter().enumerate() {
            if section > 0 {
                field.word("", ";");
            }
            field.word(" ", text);
        }
    }
}

fn split_parameters(value: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                pieces.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&value[start..]);
    pieces
}

fn recoded_parameter(piece: &str) -> Vec<String> {
    if is_printable(piece) {
        return vec![piece.to_owned()];
    }
    match piece.split_once('=') {
        Some((name, value)) if is_printable(name) && !name.trim_end().ends_with('*') => {
            let value = value.trim();
            let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
            parameter(name.trim_end(), &if quoted { unescape(&value[1..value.len() - 1]) } else { value.to_owned() })
        }
        _ => vec![percent_beyond_ascii(piece)],
    }
}
