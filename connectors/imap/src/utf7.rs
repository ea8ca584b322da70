//! Modified UTF-7, in which mailbox names travel: RFC 3501 section 5.1.3.
//!
//! Our own, because the one crate for it panics on what a server may send.

use base64::{
    Engine,
    alphabet::IMAP_MUTF7,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const fn stands_for_itself(letter: char) -> bool {
    matches!(letter, ' '..='~')
}

/// Encodes a name. Every name can be encoded.
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut run = String::new();
    for letter in name.chars() {
        if !stands_for_itself(letter) {
            run.push(letter);
            continue;
        }
        flush(&mut run, &mut encoded);
        encoded.push(letter);
        if letter == '&' {
            encoded.push('-');
        }
    }
    flush(&mut run, &mut encoded);
    encoded
}

fn flush(run: &mut String, encoded: &mut String) {
    if run.is_empty() {
        return;
    }
    let units: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
    encoded.push('&');
    encoded.push_str(&BASE64.encode(units));
    encoded.push('-');
    run.clear();
}

/// Decodes a name; what is not modified UTF-7 stays as it is.
pub fn decode(name: &str) -> String {
    let mut decoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        match after.split_once('-').and_then(|(run, after)| Some((decode_run(run)?, after))) {
            Some((letters, after)) => {
                decoded.push_str(&letters);
                rest = after;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn decode_run(run: &str) -> Option<String> {
    if run.is_empty() {
        return Some("&".to_owned());
    }
    let bytes = BASE64.decode(run).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let known = [
            ("Entw\u{fc}rfe", "Entw&APw-rfe"),
            ("A&B", "A&-B"),
            ("~peter/mail/\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("\u{1f600}", "&2D3eAA-"),
            ("tab\t", "tab&AAk-"),
            ("", ""),
        ];
        for (name, encoded) in known {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded), name);
        }
    }

    #[test]
    fn what_is_no_utf7_stays() {
        for odd in ["a&b", "&", "&!!!-", "&AAA", "x&-y&"] {
            decode(odd);
        }
        assert_eq!(decode("a&b"), "a&b");
        assert_eq!(decode("&2D0-"), "&2D0-", "half a surrogate pair");
    }
}
