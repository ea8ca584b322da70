//! Where the listing of one folder stands. Stored by others as an opaque text.

use transhume_contract::{Cursor, Fault, Reach, What};

/// How a folder is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Delta with the facts in its rows.
    Delta,
    /// Delta of ids alone, each message asked for by itself: for folders with an item that spoils its page.
    DeltaIds,
    /// A plain listing from end to end: for mailboxes that refuse delta.
    Plain,
    /// A plain listing of ids alone.
    PlainIds,
}

impl Walk {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Delta, "delta"), (Self::DeltaIds, "delta-ids"), (Self::Plain, "plain"), (Self::PlainIds, "plain-ids")];

    pub fn tracks(self) -> bool {
        matches!(self, Self::Delta | Self::DeltaIds)
    }
    pub fn ids_only(self) -> bool {
        matches!(self, Self::DeltaIds | Self::PlainIds)
    }
}

/// The next page to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    Start,
    /// A link of the service, without its host: a store outlives the address of a proxy or a simulator.
    Link(String),
    /// A plain listing, from this row on; used to step over a row whose id cannot be learned.
    Skip(u64),
    /// A plain listing has ended: the next round begins anew.
    End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub walk: Walk,
    /// Whether this round lists everything, and so may be started over in another way.
    pub fresh: bool,
    /// Rows per page.
    pub size: u32,
    pub at: At,
}

impl Place {
    pub fn start(walk: Walk, size: u32) -> Self {
        Self { walk, fresh: true, size, at: At::Start }
    }

    pub fn cursor(&self) -> Cursor {
        let walk = Walk::ALL.iter().find(|(walk, _)| *walk == self.walk).map_or("delta", |(_, name)| *name);
        let round = if self.fresh { "whole" } else { "later" };
        let at = match &self.at {
            At::Start => "start".to_owned(),
            At::End => "end".to_owned(),
            At::Skip(rows) => format!("skip:{rows}"),
            At::Link(link) => link.clone(),
        };
        Cursor::new(format!("1 {walk} {round} {} {at}", self.size))
    }

    /// `CursorExpired` for a text this version did not write: the folder is then listed from its start.
    pub fn of(cursor: &Cursor) -> Result<Self, Fault> {
        Self::parse(cursor.as_str()).ok_or_else(|| {
            Fault::new(What::CursorExpired, "the cursor of this folder was written by another version")
                .reaching(Reach::Collection)
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(5, ' ');
        let (version, walk, round, size, at) =
            (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
        let (walk, _) = Walk::ALL.into_iter().find(|(_, name)| *name == walk)?;
        let at = match at {
            "start" => At::Start,
            "end" => At::End,
            _ => match at.strip_prefix("skip:") {
                Some(rows) => At::Skip(rows.parse().ok()?),
                None => At::Link(at.to_owned()),
            },
        };
        (version == "1").then_some(Self { walk, fresh: round == "whole", size: size.parse().ok()?, at })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_survives_its_cursor() {
        for (walk, _) in Walk::ALL {
            for at in [At::Start, At::End, At::Skip(12), At::Link("/v1.0/users/a/x?$deltatoken=a b&c".into())] {
                let place = Place { walk, fresh: walk == Walk::Plain, size: 500, at };
                assert_eq!(Place::of(&place.cursor()).unwrap(), place);
            }
        }
    }

    #[test]
    fn a_strange_cursor_means_starting_again() {
        for text in ["", "2 delta whole 500 start", "1 delta whole x start", "https://graph.microsoft.com/x"] {
            assert_eq!(Place::of(&Cursor::new(text)).unwrap_err().what, What::CursorExpired, "{text}");
        }
    }
}
