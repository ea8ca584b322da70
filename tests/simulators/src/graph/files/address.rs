//! Which item of a drive a path names: by id, by a path from the root, by a path from an item (OneDrive API docs:
//! addressing).

use crate::tenant::sharepoint::{ROOT, Tree};
use crate::wire::Refusal;

/// The item that segments after a drive name, and the segments after it.
///
/// # Errors
/// 404 for what is absent, 400 for what names no item.
pub(super) fn item<'s, 'n>(tree: &Tree, segments: &'s [&'n str]) -> Result<(u32, &'s [&'n str]), Refusal> {
    match segments {
        ["root", rest @ ..] | ["items", "root", rest @ ..] => Ok((ROOT, rest)),
        ["root:", rest @ ..] | ["items", "root:", rest @ ..] => below(tree, ROOT, rest),
        ["items", id, rest @ ..] => match id.strip_suffix(':') {
            Some(id) => below(tree, named(tree, id)?, rest),
            None => Ok((named(tree, id)?, rest)),
        },
        _ => Err(Refusal::invalid_request("Invalid request")),
    }
}

fn named(tree: &Tree, id: &str) -> Result<u32, Refusal> {
    tree.named(id).ok_or_else(Refusal::drive_item_not_found)
}

/// A path ends at a name with a colon behind it, or at the end.
fn below<'s, 'n>(tree: &Tree, from: u32, segments: &'s [&'n str]) -> Result<(u32, &'s [&'n str]), Refusal> {
    let end = segments.iter().position(|name| name.ends_with(':')).map_or(segments.len(), |last| last + 1);
    let (path, rest) = segments.split_at(end);
    let names = path.iter().map(|name| name.strip_suffix(':').unwrap_or(name)).filter(|name| !name.is_empty());
    let slot = tree.at_path(from, names).ok_or_else(Refusal::drive_item_not_found)?;
    Ok((slot, rest))
}
