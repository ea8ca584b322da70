//! What an interrupted run left in a calendar beside the events: a target that knows it and removes it at the end.

use crate::{
    in_place::{Agenda, CALENDAR, files},
    wires::{Behind, Between},
};
use async_trait::async_trait;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use transhume::engine::{Engine, Mover, Policy, account_standing};
use transhume_contract::{Collection, Depth, Fault, Observed, Target};

/// Keeps what it cannot remove.
struct Sweeping {
    target: Arc<dyn Target>,
    place: PathBuf,
}

fn is(path: &Path, begin: &str) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with(begin)
}

#[async_trait]
impl Between for Sweeping {
    fn target(&self) -> &dyn Target {
        &*self.target
    }
    async fn settle(&self, _: &Collection) -> Result<(), Fault> {
        let left = files(&self.place).into_iter().filter(|path| is(path, "left-1"));
        left.for_each(|path| std::fs::remove_file(path).unwrap());
        Ok(())
    }
    fn is_left_behind(&self, seen: &Observed) -> bool {
        seen.handle.as_str().starts_with("left-")
    }
}

/// A calendar with an event and two things left behind, as verification saw it.
async fn verified() -> (Agenda, Arc<dyn Target>, PathBuf) {
    let agenda = Agenda::new().await;
    let target: Arc<dyn Target> = Arc::new(Behind(Sweeping { target: agenda.folder(), place: agenda.place() }));
    agenda.told("first", "red");
    let moved = agenda.pass(target.clone()).await;
    let calendar = files(&agenda.place()).remove(0).parent().unwrap().to_owned();
    for number in [1, 2] {
        std::fs::write(calendar.join(format!("left-{number}.ics")), "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").unwrap();
    }
    assert_eq!((agenda.differences(&moved, Depth::Shape).await, differences(&agenda, &moved).await), (2, 2));
    (agenda, target, calendar)
}

/// As `status` tells them.
async fn differences(agenda: &Agenda, (_, movers): &(Engine, Vec<Mover>)) -> u64 {
    let store = agenda.project().open_account(&agenda.account.id).await.unwrap();
    let policy = Policy::default();
    let standing = account_standing(agenda.project(), &store, &movers[0].row, CALENDAR, &policy).await;
    standing.unwrap().differences()
}

#[tokio::test]
async fn what_a_push_removed_is_no_difference_any_longer_and_what_stays_is_one() {
    let (agenda, target, calendar) = verified().await;
    let moved = agenda.pass(target).await;
    assert!(!calendar.join("left-1.ics").exists() && calendar.join("left-2.ics").exists());
    assert_eq!(differences(&agenda, &moved).await, 1);
}

#[tokio::test]
async fn a_calendar_that_people_deleted_is_not_made_anew_to_look_for_what_was_left_in_it() {
    let (agenda, target, calendar) = verified().await;
    std::fs::remove_dir_all(&calendar).unwrap();
    let moved = agenda.pass(target).await;
    assert!(!calendar.exists(), "they deleted it");
    assert_eq!(differences(&agenda, &moved).await, 0, "what was left there is gone with it");
}
