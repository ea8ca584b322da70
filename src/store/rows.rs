//! Short names of rows, and how contract values stand in columns.

use super::faults::Trouble;
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use transhume_contract::{Content, Digest, Facts, Timestamp, Workload};

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub(super) i64);

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }

        impl $name {
            /// The number, for showing and sorting; it means nothing outside its account.
            pub const fn number(self) -> i64 {
                self.0
            }
        }
    )+};
}

keys! {
    /// The store's own short name of an item, within its account.
    ItemKey;
    /// A collection of the source.
    CollectionKey;
    /// One original of an item.
    OriginalKey;
    /// One rendering of an original.
    RenderingKey;
    /// A collection of the target.
    TargetKey;
    /// One placement.
    PlacementKey;
    /// One run of a verb that writes, within its project.
    RunId;
}

/// The two sides of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Source,
    Target,
}

impl Side {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

impl ToSql for Side {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for Side {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "source" => Ok(Self::Source),
            "target" => Ok(Self::Target),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// A workload in a column: a number, since it leads most indexes.
#[derive(Clone, Copy)]
pub(super) struct Work(pub Workload);

impl ToSql for Work {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code: i64 = match self.0 {
            Workload::Mail => 1,
            Workload::Calendar => 2,
            Workload::Contacts => 3,
            Workload::Tasks => 4,
            Workload::Files => 5,
        };
        Ok(code.into())
    }
}

impl FromSql for Work {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let workload = match value.as_i64()? {
            1 => Workload::Mail,
            2 => Workload::Calendar,
            3 => Workload::Contacts,
            4 => Workload::Tasks,
            5 => Workload::Files,
            other => return Err(FromSqlError::OutOfRange(other)),
        };
        Ok(Self(workload))
    }
}

/// A digest in a column: its 32 bytes.
pub(super) struct Hash(pub Digest);

impl ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_bytes().as_slice()))
    }
}

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Digest::from_slice(value.as_blob()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

/// Any serialisable value in a column, as JSON text.
pub(super) struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(error.into()))
    }
}

/// A name that serde gives a plain enum (`inbox`, `missing`), as a column holds it.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, Trouble> {
    let text = serde_json::to_string(value)?;
    Ok(text.trim_matches('"').to_owned())
}

pub(super) fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, Trouble> {
    Ok(serde_json::from_value(serde_json::Value::String(word.to_owned()))?)
}

pub(super) const fn follows(content: Content) -> bool {
    matches!(content, Content::FollowsVersion)
}

pub(super) const fn content(follows: bool) -> Content {
    if follows { Content::FollowsVersion } else { Content::Fixed }
}

/// Microseconds since 1970.
pub(super) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What an item without a received time sorts as: last.
pub(super) const NEVER: i64 = i64::MIN;

pub(super) fn received(facts: &Facts) -> i64 {
    facts.received.map_or(NEVER, Timestamp::as_microsecond)
}

/// Counts and lengths: SQLite's integers are signed, ours never negative.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

impl TargetKey {
    /// Where nothing is written down: the key of every target collection of a dry run.
    pub const REHEARSED: Self = Self(0);
}
