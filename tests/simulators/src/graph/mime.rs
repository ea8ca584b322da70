//! `$value`: a message as MIME, in chunks of untold length (Microsoft Graph docs: get MIME content of a message).

use bytes::Bytes;

use super::access::READ_MAIL;
use super::{Answer, Scene, messages};
use crate::dump::Content;
use crate::wire::{Cut, Payload, Refusal, Reply};
use http::StatusCode;

pub(super) fn value(scene: &Scene<'_>, user: &str, key: &str) -> Answer {
    let mailbox = scene.mailbox(user, READ_MAIL)?;
    let slot = messages::opened(scene, mailbox, None, key)?;
    let content = mailbox.read().message(slot).and_then(|message| message.content.clone());
    let content =
        content.ok_or_else(|| Refusal::new(500, "ErrorContentConversionFailed", "Content conversion failed."))?;
    let switches = &scene.world.knobs().switches;
    let content = if switches.regenerate_mime { regenerated(content, &scene.world.guid()) } else { content };
    let cut =
        switches.cut_mime.filter(|cut| content.len() > cut.above).map(|cut| Cut { after: cut.above, clean: cut.clean });
    let reply = Reply::of(StatusCode::OK, Payload::Stream(content, cut));
    Ok(reply.with("content-type", "text/plain"))
}

/// Exchange keeps no MIME, it makes it at each call: another outer boundary, another header of its own. Bodies made
/// while they are read keep their boundary.
fn regenerated(content: Content, call: &str) -> Content {
    let header = format!("X-MS-Exchange-CrossTenant-Network-Message-Id: {call}\r\n");
    match content {
        Content::Bytes(mime) => {
            let fresh = match boundary(&mime) {
                Some(old) => replaced(&mime, old.as_bytes(), format!("_000_{}_", call.replace('-', "")).as_bytes()),
                None => mime.to_vec(),
            };
            Content::Bytes([header.as_bytes(), &fresh].concat().into())
        }
        Content::Repeat { head, line, times, tail } => {
            let head = Bytes::from([header.as_bytes(), &head].concat());
            Content::Repeat { head, line, times, tail }
        }
        no_mail @ (Content::Seeded { .. } | Content::File { .. }) => no_mail,
    }
}

/// The boundary of the outermost multipart, where it is written between quotes. A short one may occur in other
/// places, and stays.
fn boundary(mime: &[u8]) -> Option<String> {
    const SHORTEST: usize = 12;
    let end = mime.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&mime[..end]).ok()?;
    let at = head.to_ascii_lowercase().find("boundary=\"")? + "boundary=\"".len();
    let boundary = head[at..].split('"').next()?;
    (boundary.len() >= SHORTEST).then(|| boundary.to_owned())
}

fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut fresh = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(old.len()).position(|window| window == old) {
        fresh.extend_from_slice(&rest[..at]);
        fresh.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    fresh.extend_from_slice(rest);
    fresh
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn two_calls_differ_in_boundary_and_header_only() {
        let mime = "Content-Type: multipart/mixed; boundary=\"=_frontier_1234\"\r\n\r\n--=_frontier_1234\r\n\r\nx\r\n--=_frontier_1234--\r\n";
        let call = "11111111-2222-3333-4444-555555555555";
        let made = regenerated(Content::Bytes(mime.into()), call).to_bytes();
        let text = std::str::from_utf8(&made).unwrap();
        assert!(!text.contains("frontier"));
        assert_eq!(text.matches("_000_11111111222233334444555555555555_").count(), 3);
        assert!(text.starts_with("X-MS-Exchange-"));
    }
}
