//! Reading JSON as the service really writes it: with raw control characters inside strings (seen by corso on
//! messages, events and contacts), and sometimes behind a byte order mark.

use serde::de::DeserializeOwned;
use transhume_contract::{Fault, What};

/// In UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Parses an answer, repairing control characters before giving up. `named` says what was asked, for the sentence.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], named: &str) -> Result<T, Fault> {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    serde_json::from_slice(bytes).or_else(|_| serde_json::from_slice(&repaired(bytes))).map_err(|error| {
        let sentence = format!("the answer of Microsoft Graph to \"{named}\" is not the JSON it should be: {error}");
        Fault::new(What::Malformed, sentence)
    })
}

/// Gives the bytes back if they are JSON, repaired if only control characters were in the way, without a byte order mark,
/// behind which nobody finds members. Nothing is reordered.
pub fn verbatim(mut bytes: Vec<u8>, named: &str) -> Result<Vec<u8>, Fault> {
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok() {
        return Ok(bytes);
    }
    let bytes = repaired(&bytes);
    parse::<serde::de::IgnoredAny>(&bytes, named).map(|_| bytes)
}

/// Replaces raw bytes below 0x20 inside strings by a space; JSON allows none there.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut watch = Strings::default();
    let repair = |byte: &u8| {
        let was_escaped = watch.escaped;
        let inside = watch.inside(*byte);
        // An escape before a control character means nothing; a space would be no escape either.
        match (inside && *byte < 0x20, was_escaped) {
            (true, true) => b'n',
            (true, false) => b' ',
            (false, _) => *byte,
        }
    };
    bytes.iter().map(repair).collect()
}

/// The members of an object, or the elements of an array, each to the byte: what stands between commas. The bytes must
/// be JSON.
fn entries(bytes: &[u8]) -> Vec<&[u8]> {
    let bytes = bytes.trim_ascii();
    let inner = bytes.get(1..bytes.len().saturating_sub(1)).unwrap_or_default();
    let (mut all, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let mut watch = Strings::default();
    for (at, byte) in inner.iter().enumerate() {
        match byte {
            _ if watch.inside(*byte) => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                all.push(inner[start..at].trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = inner[start..].trim_ascii();
    all.extend((!last.is_empty()).then_some(last));
    all
}

/// Whether a byte belongs to a string.
#[derive(Default)]
struct Strings {
    inside: bool,
    escaped: bool,
}

impl Strings {
    fn inside(&mut self, byte: u8) -> bool {
        if !self.inside {
            self.inside = byte == b'"';
            return self.inside;
        }
        let was_escaped = std::mem::take(&mut self.escaped);
        match byte {
            b'"' if !was_escaped => self.inside = false,
            b'\\' => self.escaped = !was_escaped,
            _ => {}
        }
        true
    }
}

/// The value of a member of an object, to the byte. The bytes must be JSON.
pub fn member<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    entries(object).into_iter().find_map(|entry| {
        let mut watch = Strings::default();
        let colon = entry.iter().position(|byte| !watch.inside(*byte) && *byte == b':')?;
        let own: String = serde_json::from_slice(entry[..colon].trim_ascii()).ok()?;
        (own == name).then(|| entry[colon + 1..].trim_ascii())
    })
}

/// The elements of an array that is a member of an object, each to the byte; `None` where it is no array.
pub fn elements<'a>(object: &'a [u8], name: &str) -> Option<Vec<&'a [u8]>> {
    member(object, name).filter(|value| value.starts_with(b"[")).map(entries)
}

/// An object with one more member at its end; every other byte stays.
pub fn with_member(object: &[u8], name: &str, value: &[u8]) -> Vec<u8> {
    let body = object.trim_ascii_end();
    let body = body.strip_suffix(b"}").unwrap_or(body).trim_ascii_end();
    let comma: &[u8] = if body.ends_with(b"{") { b"" } else { b"," };
    let name = serde_json::Value::from(name).to_string();
    [body, comma, name.as_bytes(), b":", value, b"}"].concat()
}

/// An array of elements that are JSON already.
pub fn array<'a>(elements: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let elements: Vec<_> = elements.into_iter().collect();
    [b"[".as_slice(), &elements.join(b",".as_slice()), b"]"].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::Value;

    #[test]
    fn raw_control_characters_inside_strings_are_repaired() {
        let read: Value = parse(b"{\"subject\":\"a\x0bb\nc\\\"\x01\",\n\t\"n\":1}", "a message").unwrap();
        assert_eq!(read["subject"], "a b c\" ");
        assert_eq!(read["n"], 1);
    }

    #[test]
    fn a_byte_order_mark_is_no_obstacle() {
        assert_eq!(parse::<Value>(b"\xEF\xBB\xBF{}", "x").unwrap(), serde_json::json!({}));
        let page = verbatim(b"\xEF\xBB\xBF{\"value\":[{}, {}]}".to_vec(), "x").unwrap();
        assert_eq!(elements(&page, "value").unwrap().len(), 2);
    }

    #[test]
    fn good_json_is_kept_to_the_byte() {
        let odd = b"{ \"b\" : 1 ,\r\n \"a\":\"\\u0001\" }".to_vec();
        assert_eq!(verbatim(odd.clone(), "x").unwrap(), odd);
        assert_eq!(verbatim(b"{\"a\":\"\x00\"}".to_vec(), "x").unwrap(), b"{\"a\":\" \"}");
    }

    #[test]
    fn half_an_answer_is_malformed() {
        let fault = parse::<Value>(b"{\"value\":[", "the folders").unwrap_err();
        assert_eq!(fault.what, What::Malformed);
        assert!(fault.sentence.contains("the folders"));
    }

    #[test]
    fn members_and_elements_are_cut_out_to_the_byte() {
        let odd =
            br#" { "a,b" : "x\",}" , "list":[ {"n": 1.10, "s":"]"},[], "\u0041" ], "none":[ ] ,"k":{"list":[0]}} "#;
        let expected: [&[u8]; 3] = [br#"{"n": 1.10, "s":"]"}"#, b"[]", br#""\u0041""#];
        assert_eq!(elements(odd, "list").unwrap(), expected);
        assert_eq!(member(odd, "a,b").unwrap(), br#""x\",}""#);
        assert_eq!(elements(odd, "none").unwrap(), Vec::<&[u8]>::new());
        assert_eq!((elements(odd, "k"), elements(odd, "absent"), member(b"{}", "a")), (None, None, None));
        assert_eq!(array(expected), br#"[{"n": 1.10, "s":"]"},[],"\u0041"]"#);
    }

    #[test]
    fn a_member_is_added_at_the_end() {
        assert_eq!(with_member(b"{\"a\": 1.0 }\n", "b", b"[2]"), b"{\"a\": 1.0,\"b\":[2]}");
        assert_eq!(with_member(b"{}", "b", b"[]"), b"{\"b\":[]}");
    }
}
