//! Second copies of events at a server that writes what it stores in its own words, so that no two are of one length:
//! they are known by their UID, where it is told.

use crate::{
    in_place::{Agenda, CALENDAR, event, files},
    wires::Fate,
};
use std::{path::Path, sync::Arc};
use transhume::engine::{Compared, Engine, Mover};
use transhume_contract::Depth;

struct Doubled {
    agenda: Agenda,
    moved: (Engine, Vec<Mover>),
}

impl Doubled {
    /// An event of ours, one of others, and what people call a copy.
    async fn new(copy: &str) -> Self {
        let (agenda, sent) = (Agenda::new().await, Arc::default());
        agenda.told("first", "red");
        let moved = agenda.pass(agenda.server(Fate::Untold, &sent)).await;
        let ours = files(&agenda.place()).remove(0);
        std::fs::write(ours.with_file_name("copy.ics"), copy).unwrap();
        let theirs = event("first", "red").replace("one@example.org", "theirs@example.org");
        std::fs::write(ours.with_file_name("theirs.ics"), theirs).unwrap();
        Self { agenda, moved }
    }

    fn take_ours_away(&self) {
        let ours = |path: &Path| std::fs::read_to_string(path).unwrap().contains("X-STAMP");
        files(&self.agenda.place())
            .iter()
            .filter(|path| ours(path))
            .for_each(|path| std::fs::remove_file(path).unwrap());
    }

    /// What was found, and by which words.
    async fn verify(&self, depth: Depth) -> (Compared, Vec<String>) {
        let (engine, movers) = &self.moved;
        let found = engine.verify(self.agenda.project(), movers, depth).await.unwrap().remove(0);
        let store = self.agenda.project().open_account(&self.agenda.account.id).await.unwrap();
        let told = store.differences(CALENDAR, 0, 10).await.unwrap();
        let word = |anew: bool, kind: String| if anew { format!("{kind} anew") } else { kind };
        let told = told.into_iter().map(|told| word(told.detail["stands_there_anew"] == true, told.kind));
        let mut told: Vec<_> = told.collect();
        told.sort();
        (found, told)
    }
}

/// The same, in the words of another program.
fn reworded() -> String {
    event("first", "red").replace("UID", "X-PROGRAM:another\r\nUID")
}

#[tokio::test]
async fn what_has_the_uid_of_ours_is_a_second_copy_however_it_is_worded() {
    for copy in [reworded(), event("changed by people", "red")] {
        let doubled = Doubled::new(&copy).await;
        for depth in [Depth::Shape, Depth::Content] {
            let (found, told) = doubled.verify(depth).await;
            assert_eq!((found.compared, found.differences, found.others), (2, 1, 1), "{depth:?}");
            assert_eq!(told, ["duplicate", "extra"], "{depth:?}");
        }
        let (found, told) = doubled.verify(Depth::Presence).await;
        assert_eq!((found.differences, found.others), (0, 2), "no UID is seen at this depth");
        assert_eq!(told, ["extra", "extra"]);
    }
}

/// Then it is no second one.
#[tokio::test]
async fn what_has_the_uid_of_what_is_missing_answers_for_it_where_it_says_the_same() {
    for (copy, word) in [(reworded(), "missing anew"), (event("changed by people", "red"), "missing")] {
        let doubled = Doubled::new(&copy).await;
        doubled.take_ours_away();
        let (found, told) = doubled.verify(Depth::Content).await;
        assert_eq!((found.differences, found.others), (1, 2), "{word}");
        assert_eq!(told, ["extra", "extra", word]);
    }
}
