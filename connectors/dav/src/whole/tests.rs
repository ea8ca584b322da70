use super::*;
use bytes::Bytes;
use transhume_contract::IntentId;

fn job(uid: &str, text: &str) -> Job {
    let bytes = Bytes::from(text.replace('\n', "\r\n"));
    Job { intent: IntentId::new(uid), name: format!("{uid}.ics"), uid: Some(uid.to_owned()), bytes, instead: None }
}

fn event(uid: &str, lines: &str) -> Job {
    let around = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\n\
        DTSTART:19701025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n";
    job(
        uid,
        &format!(
            "{around}BEGIN:VEVENT\nUID:{uid}\n{lines}BEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n"
        ),
    )
}

fn goes(lines: &str) -> bool {
    goes_along(&event("a", lines), Workload::Calendar)
}

#[test]
fn only_what_needs_no_zone_goes_along() {
    assert!(goes("DTSTART;VALUE=DATE:19250301\nRRULE:FREQ=WEEKLY\n") && goes("DTSTART:19250301T030000Z\n"));
    assert!(goes("DTSTART:20250301T100000\nDESCRIPTION:TZID=Europe/Berlin\n"));
    for odd in [
        "DTSTART;TZID=Europe/Berlin:20250330T093000\n",
        "DTSTART:20250301T100000Z\nEXDATE;TZID=Europe/Berlin:20250302T100000\n",
        "UID:b\n",
    ] {
        assert!(!goes(odd), "{odd}");
    }
    let with = |text: &str| goes_along(&job("a", text), Workload::Calendar);
    assert!(!with("BEGIN:VCALENDAR\nMETHOD:PUBLISH\nBEGIN:VEVENT\nUID:a\nEND:VEVENT\nEND:VCALENDAR\n"));
    assert!(!with("BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nUID:a\nEND:VJOURNAL\nEND:VCALENDAR\n"));
    assert!(!with("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nEND:VCALENDAR\n") && !with("nonsense\n"));
    assert!(!goes_along(&event("a@b", ""), Workload::Calendar), "its name would be another");
}

#[test]
fn components_are_merged_byte_for_byte() {
    let one = "DTSTART:20250301T100000Z\nSUMMARY:folded\n  twice:\n BEGIN:VEVENT\n";
    let jobs = [event("a", one), event("b", "DTSTART:20250301T100000Z\n")];
    let body = String::from_utf8(Parting::of(jobs.into(), Workload::Calendar).body(Workload::Calendar)).unwrap();
    let alarm = "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n";
    let first = "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20250301T100000Z\r\nSUMMARY:folded\r\n  twice:\r\n BEGIN:VEVENT\r\n";
    let second = "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20250301T100000Z\r\n";
    let around = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//transhume//transhume//EN\r\n";
    assert_eq!(body, format!("{around}{first}{alarm}{second}{alarm}END:VCALENDAR\r\n"));
}

#[test]
fn cards_go_one_after_the_other() {
    let card = "BEGIN:VCARD\nVERSION:3.0\nUID:a\nFN:x\nEND:VCARD";
    let (one, two) = (job("a", card), job("b", &format!("{card}\n{card}\n")));
    assert!(goes_along(&one, Workload::Contacts) && !goes_along(&two, Workload::Contacts));
    let parting = Parting::of(vec![one], Workload::Contacts);
    let body = String::from_utf8(parting.body(Workload::Contacts)).unwrap();
    assert!(body.ends_with("END:VCARD\r\n"));
}

#[test]
fn a_uid_that_stands_twice_is_named() {
    let jobs = [event("A", ""), event("b", ""), event("a", "")];
    assert_eq!(repeated(&jobs).into_iter().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn what_cannot_go_along_has_its_place_reserved() {
    let zoned = "DTSTART;TZID=Europe/Berlin:20250330T093000\n";
    let jobs = vec![event("plain", "DTSTART:20250301T100000Z\n"), event("zoned", zoned), event("odd@name", zoned)];
    let parting = Parting::of(jobs, Workload::Calendar);
    let names = |jobs: &[Job]| jobs.iter().map(|job| job.intent.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!((names(&parting.along), names(&parting.alone)), (vec!["plain".into()], vec!["odd@name".into()]));
    let body = String::from_utf8(parting.body(Workload::Calendar)).unwrap();
    assert!(body.contains("UID:zoned\r\n") && !body.contains("20250330") && !body.contains("VTIMEZONE"), "{body}");
    let parting = parting.all_reserved(Workload::Calendar);
    assert_eq!(names(&parting.reserved), ["zoned", "plain"]);
    assert!(!String::from_utf8(parting.body(Workload::Calendar)).unwrap().contains("20250301"));
}
