//! Outlook calendars: which there are, rounds of changes, series with their exceptions, originals, settings.

pub mod calendars;
mod life;
pub mod original;
pub mod round;
mod rows;
mod series;
pub mod settings;

pub use series::WISHES;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};
use transhume_contract::Cost;

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

impl Known {
    /// What events take, without their attachments, of which no listing tells. A series is read with its lists of
    /// exceptions, and again in each round. Where there are no such lists, it is read with its days, window by window, and
    /// at least one day that changed: no listing tells how long it goes on, so each counts as one without end that begins
    /// today, of which each window is one page. Older and busier ones take more, those that end take less.
    pub fn cost(&self, items: &BTreeMap<String, u64>, page_size: u32) -> Cost {
        let (all, series): (u64, u64) = (items.values().sum(), items.get(rows::MASTER).copied().unwrap_or_default());
        let round = match series::Lists::here(self) {
            series::Lists::Absent => 1 + life::windows_of_an_endless_series(),
            _ => 1,
        };
        let original = round + 1;
        let untracked = self.untracked.load(Ordering::Relaxed);
        let pages = if untracked { all.div_ceil(u64::from(page_size.max(1))) } else { 0 };
        Cost { originals: all - series + original * series, round: round * series + pages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_takes_more_than_an_event_and_is_read_in_each_round() {
        let items = BTreeMap::from([("seriesMaster".to_owned(), 10), ("singleInstance".to_owned(), 100)]);
        let known = Known::default();
        assert_eq!(known.cost(&items, 50), Cost { originals: 120, round: 10 });
        known.untracked.store(true, Ordering::Relaxed);
        assert_eq!(known.cost(&items, 50), Cost { originals: 120, round: 13 }, "everything is listed in each round");
        series::Lists::Narrow.refused(&known);
        series::Lists::Whole.refused(&known);
        assert_eq!(known.cost(&items, 50), Cost { originals: 170, round: 63 }, "days in place of lists");
    }
}
