//! Radicale's whole collections: quick, and only where nothing can be lost by it.

use crate::setting::{alice, event, key, observe, place, placing, started, target_at, wanted};
use transhume_contract::{Appearance, Collection, Target, Wanted, Workload};
use transhume_dav::DavTarget;
use transhume_servers::DavKind;

async fn coloured(target: &DavTarget, name: &str) -> Collection {
    let appearance = Appearance { colour: Some("#ff8800".into()), order: Some(4) };
    target.ensure(&Wanted { appearance, ..wanted(Workload::Calendar, &[name]) }).await.unwrap()
}

async fn listed(target: &DavTarget, at: &Collection) -> Collection {
    let others = target.others(&alice(), Workload::Calendar, &[]).await.unwrap();
    others.into_iter().find(|other| other.id == at.id).unwrap()
}

/// Zoned, so that the server's own VTIMEZONEs would show.
pub fn zoned(uid: &str, hour: u32) -> String {
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n\
        TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n\
        BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
        RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n{zone}BEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20250101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20250301T{hour:02}0000\r\n\
         DTEND;TZID=Europe/Berlin:20250301T{hour:02}3000\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:{uid}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    )
}

#[tokio::test]
async fn a_new_calendar_is_filled_at_once_and_keeps_its_name_and_colour() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    let at = coloured(&target, "Sport & Spiel").await;
    let mut batch: Vec<_> = (0..500).map(|n| placing(&format!("w-{n}"), &event(&format!("w-{n}"), ""))).collect();
    batch.push(placing("zoned", &zoned("zoned", 9)));
    batch.push(placing("a@b", &event("a@b", "")));
    let answers = place(&target, &at, batch).await;
    assert_eq!(answers.len(), 502);
    let good = answers.iter().filter(|(_, answer)| answer.as_ref().is_ok_and(|placed| placed.version.is_some()));
    assert_eq!(good.count(), 502, "{:?}", answers.iter().find(|(_, answer)| answer.is_err()));
    let seen = observe(&target, &at).await;
    assert_eq!(seen.len(), 502);
    let told: std::collections::BTreeMap<_, _> = answers
        .iter()
        .map(|(_, answer)| answer.as_ref().unwrap())
        .map(|placed| (placed.handle.clone(), &placed.version))
        .collect();
    assert!(
        seen.iter().all(|one| told[&Some(one.handle.clone())] == &one.version),
        "the versions told are those that stand"
    );
    let text = |name: &str| {
        let found = seen.iter().find(|one| one.handle.as_str() == name).unwrap();
        String::from_utf8(found.content.clone().unwrap().to_vec()).unwrap()
    };
    assert!(text("zoned.ics").contains("DTSTART:19701025T030000"), "the zone must be the one that was sent");
    assert!(text("w-7.ics").contains("DTSTART:20300301T100000Z"));
    let stands = listed(&target, &at).await;
    assert_eq!((stands.name.as_str(), stands.appearance), ("Sport & Spiel", at.appearance.clone()));
}

#[tokio::test]
async fn what_already_holds_something_is_never_replaced() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    let at = coloured(&target, "Shared").await;
    // Somebody else puts something there before the first batch.
    let other = target_at(&server.url());
    assert!(place(&other, &at, vec![placing("theirs", &event("theirs", ""))]).await[0].1.is_ok());
    let batch = (0..30).map(|n| placing(&format!("o-{n}"), &event(&format!("o-{n}"), ""))).collect();
    assert!(place(&target, &at, batch).await.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!(observe(&target, &at).await.len(), 31);
    // A second process that finds the collection made it not.
    let later = target_at(&server.url());
    let again = coloured(&later, "Shared").await;
    let batch = (0..30).map(|n| placing(&format!("p-{n}"), &event(&format!("p-{n}"), ""))).collect();
    assert!(place(&later, &again, batch).await.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!(observe(&later, &again).await.len(), 61);
}

#[tokio::test]
async fn one_bad_item_does_not_cost_the_others() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    let at = coloured(&target, "Mixed").await;
    let mut batch: Vec<_> = (0..20).map(|n| placing(&format!("m-{n}"), &event(&format!("m-{n}"), ""))).collect();
    batch.push(placing("bad", &event("bad", "RRULE:FREQ=NEVER\r\n")));
    let answers = place(&target, &at, batch).await;
    let refused: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_err()).collect();
    assert!(refused.len() == 1 && refused[0].0 == "bad", "{refused:?}");
    assert_eq!(observe(&target, &at).await.len(), 20);
    assert_eq!(listed(&target, &at).await.name, "Mixed");
}

/// A crash between filling a collection and naming it again: the next run sees that it has no name.
#[tokio::test]
async fn a_collection_that_lost_its_name_gets_it_back() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    let at = coloured(&target, "Half").await;
    std::fs::read_dir(server.dir().join("data/collection-root/alice")).unwrap().flatten().for_each(|entry| {
        std::fs::write(entry.path().join(".Radicale.props"), "{\"tag\": \"VCALENDAR\"}").unwrap();
    });
    assert_ne!(listed(&target, &at).await.name, "Half");
    let next = target_at(&server.url());
    let known = Wanted { known: Some(at.id.clone()), ..wanted(Workload::Calendar, &["Half"]) };
    let again = next.ensure(&Wanted { appearance: at.appearance.clone(), ..known }).await.unwrap();
    assert_eq!((again.id, again.name.as_str()), (at.id.clone(), "Half"));
    let stands = listed(&next, &at).await;
    assert_eq!((stands.name.as_str(), stands.appearance), ("Half", at.appearance.clone()));
}

fn text(observed: &transhume_contract::Observed) -> String {
    String::from_utf8(observed.content.clone().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn what_needs_a_zone_takes_the_places_that_were_reserved_for_it() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    let at = coloured(&target, "Zoned").await;
    let batch = (0..40).map(|n| placing(&format!("z-{n}"), &zoned(&format!("z-{n}"), 9))).collect();
    let answers = place(&target, &at, batch).await;
    assert!(answers.iter().all(|(_, answer)| answer.as_ref().is_ok_and(|placed| placed.version.is_some())));
    let seen = observe(&target, &at).await;
    assert_eq!(seen.len(), 40);
    for one in &seen {
        let text = text(one);
        assert!(text.contains("DTSTART:19701025T030000") && text.contains("RRULE:FREQ=WEEKLY"), "{text}");
        assert!(!text.contains("RESERVATION"), "{text}");
        let placed = answers
            .iter()
            .find_map(|(_, answer)| answer.as_ref().ok().filter(|placed| placed.handle.as_ref() == Some(&one.handle)));
        assert_eq!(placed.unwrap().version, one.version);
    }
    assert_eq!(listed(&target, &at).await.name, "Zoned");
}

/// As a run leaves it that was killed between reserving and filling.
#[tokio::test]
async fn a_reservation_that_was_left_is_no_item_and_is_filled() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    let at = coloured(&target, "Left").await;
    let left = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:left\r\n\
        DTSTAMP:19700101T000000Z\r\nDTSTART;VALUE=DATE:19700101\r\nX-TRANSHUME-RESERVATION:1\r\nEND:VEVENT\r\n\
        END:VCALENDAR\r\n";
    let folder = std::fs::read_dir(server.dir().join("data/collection-root/alice")).unwrap();
    let folder = folder.flatten().map(|entry| entry.path()).find(|path| path.join(".Radicale.props").exists()).unwrap();
    std::fs::write(folder.join("left.ics"), left).unwrap();
    let next = target_at(&server.url());
    assert!(next.find(&at, &[key("left", &zoned("left", 9))]).await.unwrap().is_empty());
    let batch = (0..3).map(|n| placing(&format!("n-{n}"), &event(&format!("n-{n}"), "")));
    let batch = batch.chain([placing("left", &zoned("left", 9))]).collect();
    assert!(place(&next, &at, batch).await.iter().all(|(_, answer)| answer.is_ok()));
    let seen = observe(&next, &at).await;
    assert_eq!(seen.len(), 4);
    let filled = seen.iter().find(|one| one.handle.as_str() == "left.ics").unwrap();
    assert!(text(filled).contains("DTSTART:19701025T030000"), "{}", text(filled));
}
