//! How deeply what stands at a target is looked at.

use crate::{Digest, Handle};
use serde::{Deserialize, Serialize};

/// What is read of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// That it is there.
    Presence,
    /// Its facts and length too.
    Shape,
    /// Its bytes too, read back and hashed.
    Content,
}

/// A part of all items, drawn by their handles: the same ones each time, and a larger share holds every smaller one.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

/// What is read of the items of a collection: of all of them the same, or of some of them more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Look {
    Whole(Depth),
    /// The content of a share, and the shape of the others.
    Sample(Share),
}

impl Share {
    /// From above 0 to 100; no share otherwise.
    pub fn percent(percent: f64) -> Option<Self> {
        (percent > 0.0 && percent <= 100.0).then_some(Self(percent / 100.0))
    }

    fn holds(self, handle: &Handle) -> bool {
        let mut lead = [0; 4];
        lead.copy_from_slice(&Digest::of(handle.as_str().as_bytes()).as_bytes()[..4]);
        f64::from(u32::from_le_bytes(lead)) < self.0 * (f64::from(u32::MAX) + 1.0)
    }
}

impl Look {
    /// What is read of one item.
    pub fn depth_of(self, handle: &Handle) -> Depth {
        match self {
            Self::Whole(depth) => depth,
            Self::Sample(share) if share.holds(handle) => Depth::Content,
            Self::Sample(_) => Depth::Shape,
        }
    }

    /// What is read of every item at least.
    pub fn depth(self) -> Depth {
        match self {
            Self::Whole(depth) => depth,
            Self::Sample(_) => Depth::Shape,
        }
    }
}

impl From<Depth> for Look {
    fn from(depth: Depth) -> Self {
        Self::Whole(depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(percent: f64) -> Vec<u32> {
        let look = Share::percent(percent).map(Look::Sample);
        let depth_of = |number: u32| look.map(|look| look.depth_of(&Handle::new(number.to_string())));
        let deep = |number: &u32| depth_of(*number) == Some(Depth::Content);
        (0..10_000).filter(deep).collect()
    }

    #[test]
    fn a_share_is_drawn_evenly_and_a_larger_one_holds_it() {
        let (small, large) = (drawn(5.0), drawn(20.0));
        assert!((400..600).contains(&small.len()) && (1_850..2_150).contains(&large.len()));
        assert!(small.iter().all(|number| large.contains(number)));
        assert_eq!(drawn(100.0).len(), 10_000);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        assert!([0.0, -1.0, 100.1, f64::NAN].into_iter().all(|percent| Share::percent(percent).is_none()));
    }
}
