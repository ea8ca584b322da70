//! Cross-cutting concerns as wrappers of the traits. Each forwards every method by name, so that a method added to a
//! trait does not compile until every wrapper has decided about it.
#![deny(clippy::missing_trait_methods)]

mod chaos;
mod rehearsal;

pub use chaos::{Chaos, ChaosSource, ChaosTarget};
pub use rehearsal::Rehearsal;
