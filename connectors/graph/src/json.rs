//! Reading JSON as the service really writes it: with raw control characters inside strings (seen by corso on
//! messages, events and contacts), and sometimes behind a byte order mark.

use serde::de::DeserializeOwned;
use transhume_contract::{Fault, What};

/// Parses an answer, repairing control characters before giving up. `named` says what was asked, for the sentence.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], named: &str) -> Result<T, Fault> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    serde_json::from_slice(bytes).or_else(|_| serde_json::from_slice(&repaired(bytes))).map_err(|error| {
        let sentence = format!("the answer of Microsoft Graph to \"{named}\" is not the JSON it should be: {error}");
        Fault::new(What::Malformed, sentence)
    })
}

/// Gives the bytes back if they are JSON, repaired if only control characters were in the way. Nothing is reordered.
pub fn verbatim(bytes: Vec<u8>, named: &str) -> Result<Vec<u8>, Fault> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok() {
        return Ok(bytes);
    }
    let bytes = repaired(&bytes);
    parse::<serde::de::IgnoredAny>(&bytes, named).map(|_| bytes)
}

/// Replaces raw bytes below 0x20 inside strings by a space; JSON allows none there.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    let repair = |byte: &u8| {
        if !inside {
            inside = *byte == b'"';
            return *byte;
        }
        let was_escaped = std::mem::take(&mut escaped);
        match *byte {
            b'"' if !was_escaped => inside = false,
            b'\\' => escaped = !was_escaped,
            _ => {}
        }
        // An escape before a control character means nothing; a space would be no escape either.
        if *byte < 0x20 { if was_escaped { b'n' } else { b' ' } } else { *byte }
    };
    bytes.iter().map(repair).collect()
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
}
