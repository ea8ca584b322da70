//! Outlook calendars: which there are, rounds of changes, series with their exceptions, originals, settings.

pub mod calendars;
mod life;
pub mod original;
pub mod round;
mod rows;
mod series;
pub mod settings;

pub use series::WISHES;

use std::sync::atomic::{AtomicBool, AtomicU8};

/// What was found out about a tenant's calendars by asking. Nothing of it is certain from the documentation.
#[derive(Debug, Default)]
pub struct Known {
    /// Changes of all events of a calendar are not tracked here.
    pub untracked: AtomicBool,
    /// Masters of series cannot be listed by themselves.
    pub unfiltered: AtomicBool,
    /// How a series is asked for its exceptions and cancelled days: see [`series::Lists`].
    pub lists: AtomicU8,
}
