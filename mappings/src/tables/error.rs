//! A table that cannot be used.

/// Says where, what, and what to do: `categories.toml, line 7: …; …`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {problem}; {fix}.")]
pub struct TableError {
    pub file: String,
    /// Counted from 1; 1 when the file as a whole is meant.
    pub line: usize,
    pub problem: String,
    pub fix: String,
}
