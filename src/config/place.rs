//! Where something stands in `transhume.toml`: what is refused is named with its line, also where the library lost sight of
//! it, and where it was found out only afterwards.

use super::{ConfigError, DavConfig, FolderConfig, GraphConfig, ImapConfig};
use serde::{Deserialize, de::DeserializeOwned};
use toml::{
    Spanned,
    de::{DeTable, DeValue, Error, ValueDeserializer},
};

/// The key that says which connector a table is for.
const CONNECTOR: &str = "connector";

/// Those of each side, in the words in which the library says what it expected.
const SOURCES: &str = "`graph`";
const TARGETS: &str = "one of `imap`, `dav`, `folder`";

/// Well-formed, and cannot work.
#[derive(Debug)]
pub(super) struct Senseless {
    /// The keys that are wrong, or else the table that lacks one: the first that stands there is named. Written with dots,
    /// as in `target.mail.port`.
    pub at: Vec<String>,
    pub sentence: String,
}

impl Senseless {
    pub fn told(self, text: &str, path: &str) -> ConfigError {
        let place = self.at.iter().find_map(|key| of(text, key)).unwrap_or(0);
        let (line, column) = position(text, place);
        ConfigError::Invalid { path: path.to_owned(), line, column, message: self.sentence }
    }
}

/// Line and column, from 1, of a byte offset.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(1, |last| last.chars().count() + 1);
    (line, column)
}

/// The byte at which a key begins, or the heading of a table.
fn of(text: &str, path: &str) -> Option<usize> {
    let root = DeTable::parse(text).ok()?.into_inner();
    let (mut table, mut place) = (Some(&root), None);
    for name in path.split('.') {
        let (key, value) = entry(table?, name)?;
        place = Some(key.start.min(value.span().start));
        table = value.get_ref().as_table();
    }
    place
}

/// Where a key of a table stands, and its value.
fn entry<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<(std::ops::Range<usize>, &'a Spanned<DeValue<'i>>)> {
    let found = table.iter().find(|(key, _)| **key.get_ref() == *name);
    found.map(|(key, value)| (key.span(), value))
}

/// The library reads tables of connectors twice, and forgets in between where each key stood. Asked for the keys of the
/// one connector alone it tells: the byte, and what is wrong there.
pub(super) fn in_connector(text: &str) -> Option<(usize, String)> {
    let root = DeTable::parse(text).ok()?.into_inner();
    let source = entry(&root, "source").map(|(_, table)| (SOURCES, table));
    let targets = entry(&root, "target").and_then(|(_, table)| table.get_ref().as_table());
    let targets = targets.into_iter().flat_map(|table| table.iter().map(|(_, table)| (TARGETS, table)));
    source.into_iter().chain(targets).find_map(|(side, table)| refused(table, side))
}

/// What is wrong in a table of this side. A connector of the other one is as unknown here as any other word.
fn refused(table: &Spanned<DeValue<'_>>, side: &str) -> Option<(usize, String)> {
    let (_, connector) = entry(table.get_ref().as_table()?, CONNECTOR)?;
    let error = match (side, connector.get_ref().as_str()?) {
        (SOURCES, "graph") => read::<GraphConfig>(table)?,
        (TARGETS, "imap") => read::<ImapConfig>(table)?,
        (TARGETS, "dav") => read::<DavConfig>(table)?,
        (TARGETS, "folder") => read::<FolderConfig>(table)?,
        (_, unknown) => {
            return Some((connector.span().start, format!("unknown variant `{unknown}`, expected {side}")));
        }
    };
    let place = error.span().map_or(table.span().start, |span| span.start);
    Some((place, error.message().to_owned()))
}

/// Reads a connector's own keys; answers what is wrong with them.
fn read<T: DeserializeOwned>(table: &Spanned<DeValue<'_>>) -> Option<Error> {
    let DeValue::Table(keys) = table.get_ref().clone() else { return None };
    let keys: DeTable<'_> = keys.into_iter().filter(|(key, _)| **key.get_ref() != *CONNECTOR).collect();
    let own = Spanned::new(table.span(), DeValue::Table(keys));
    <T as Deserialize<'_>>::deserialize(ValueDeserializer::from(own)).err()
}
