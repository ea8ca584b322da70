//! The hashes that drives tell of their files (Microsoft Graph docs: hashes; OneDrive API docs: quickXorHash).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::DriveKind;
use crate::dump::Content;

/// Byte number k is added into a register of 160 bits at bit 11 k, modulo 160. As 11 and 160 share no divisor, the places
/// come again after 160 bytes: bytes that far apart are added to each other first, and into the register once.
struct QuickXor {
    folded: [u8; PERIOD],
    length: u64,
}

const PERIOD: usize = 160;

impl QuickXor {
    fn new() -> Self {
        Self { folded: [0; PERIOD], length: 0 }
    }

    fn update(&mut self, bytes: &[u8]) {
        let mut place = usize::try_from(self.length % PERIOD as u64).unwrap_or(0);
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(PERIOD - place));
            self.folded[place..].iter_mut().zip(now).for_each(|(sum, byte)| *sum ^= byte);
            (place, rest) = ((place + now.len()) % PERIOD, later);
        }
        self.length += bytes.len() as u64;
    }

    fn finish(self) -> String {
        let mut register = [0_u8; PERIOD / 8];
        for (number, byte) in self.folded.iter().enumerate() {
            let bit = 11 * number % PERIOD;
            let [low, high] = (u16::from(*byte) << (bit % 8)).to_le_bytes();
            register[bit / 8] ^= low;
            register[(bit / 8 + 1) % register.len()] ^= high; // what runs past the end goes on at the beginning
        }
        register[12..].iter_mut().zip(self.length.to_le_bytes()).for_each(|(sum, byte)| *sum ^= byte);
        STANDARD.encode(register)
    }
}

/// quickXorHash, in base64.
pub(crate) fn quick_xor(content: &Content) -> String {
    let mut hash = QuickXor::new();
    content.chunks().for_each(|piece| hash.update(&piece));
    hash.finish()
}

/// The hashes of a file as its kind of drive tells them: business drives and libraries know one only.
pub(crate) fn hashes(content: &Content, of: DriveKind) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("quickXorHash".to_owned(), quick_xor(content).into());
    if of == DriveKind::Personal {
        let (mut sha1, mut sha256) = (Sha1::new(), Sha256::new());
        for piece in content.chunks() {
            sha1.update(&piece);
            sha256.update(&piece);
        }
        told.insert("sha1Hash".to_owned(), hex(&sha1.finalize()).into());
        told.insert("sha256Hash".to_owned(), hex(&sha256.finalize()).into());
    }
    told
}

fn hex(digest: &[u8]) -> String {
    data_encoding::HEXUPPER.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: Vec<u8>) -> String {
        quick_xor(&Content::from(bytes))
    }

    #[test]
    fn known_answers() {
        assert_eq!(of(Vec::new()), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        assert_eq!(of(b"J".to_vec()), "SgAAAAAAAAAAAAAAAQAAAAAAAAA=");
        assert_eq!(of(b"abc".to_vec()), "YRDDGAAAAAAAAAAAAwAAAAAAAAA=");
        assert_eq!(of(b"The quick brown fox jumps over the lazy dog".to_vec()), "bMSlbysmxJL6S75XwfMcQZOpcr4=");
        assert_eq!(of((0..=255).collect()), "QkGEfSisZcA7k+FCh71r2dbCayY=");
        assert_eq!(of(vec![b'a'; 1000]), "cIADHOAABzjAAQ5waAAcgQhEIAI=");
        let long = (0..100_000_u32).map(|at| u8::try_from(at % 251).unwrap_or_default());
        assert_eq!(of(long.collect()), "w5L+yXEbQ4GhItZONbG3zV6jdSU=");
    }

    #[test]
    fn hashes_depend_on_the_kind_of_drive() {
        let content = Content::from(b"abc".to_vec());
        let names = |kind| hashes(&content, kind).keys().cloned().collect::<Vec<String>>().join(" ");
        assert_eq!(names(DriveKind::Business), "quickXorHash");
        assert_eq!(names(DriveKind::Library), "quickXorHash");
        assert_eq!(names(DriveKind::Personal), "quickXorHash sha1Hash sha256Hash");
        let personal = hashes(&content, DriveKind::Personal);
        assert_eq!(personal["sha1Hash"], "A9993E364706816ABA3E25717850C26C9CD0D89D");
        assert!(personal["sha256Hash"].as_str().is_some_and(|hash| hash.starts_with("BA7816BF8F01CFEA")));
    }
}
