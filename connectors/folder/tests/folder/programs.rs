//! Other people's programs read the calendars and address books that we wrote. They are installed by
//! `scripts/install-test-servers readers dav`.

use std::fs;
use std::path::Path;
use std::process::Command;

use transhume_contract::{Target, Workload};

use crate::vdirs::{Subject, event, placing};

fn said(command: &mut Command) -> String {
    let output = command.output().expect("run scripts/install-test-servers readers dav");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

async fn written() -> Subject {
    let on = Subject::new(Workload::Calendar);
    let at = on.ensure(&["Été"]).await;
    for (uid, text) in [("plain-1", "Standup"), ("a/b:c", "Odd one")] {
        on.place(&at, placing(uid, uid, &event(uid, text))).await.unwrap();
    }
    on.ensure(&["Team", "R&D"]).await;
    on
}

fn khal(on: &Subject, arguments: &[&str]) -> String {
    let config = on.root.path().join("khal.conf");
    let text = format!(
        "[calendars]\n[[all]]\npath = {}/*\ntype = discover\n[locale]\nlocal_timezone = Europe/Berlin\n\
         default_timezone = Europe/Berlin\ntimeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n\
         datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n[default]\nhighlight_event_days = False\n\
         [sqlite]\npath = {}\n",
        on.folder("").display(),
        on.root.path().join("khal.db").display(),
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("khal");
    command.arg("-c").arg(config).args(arguments).env("HOME", on.root.path()).env("LC_ALL", "C.UTF-8");
    said(&mut command)
}

#[tokio::test]
async fn khal_lists_calendars_and_every_day_of_a_series() {
    let on = written().await;
    let mut calendars: Vec<_> = khal(&on, &["printcalendars"]).lines().map(str::to_owned).collect();
    calendars.sort();
    assert_eq!(calendars, ["Team / R&D", "Été"]);
    let format = "{start-date} {start-time}-{end-time} {title} ({calendar})";
    let listed = khal(&on, &["list", "--day-format", "", "--format", format, "2025-03-01", "14d"]);
    let lines: Vec<_> = listed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let day = |day: u32, text: &str| format!("2025-03-0{day} 11:00-12:00 {text} (Été)");
    let mut due = [day(3, "Odd one"), day(3, "Standup"), day(4, "Odd one"), day(4, "Standup")].to_vec();
    let mut lines: Vec<_> = lines.into_iter().map(str::to_owned).collect();
    due.sort();
    lines.sort();
    assert_eq!(lines, due);
}

/// A pair of folders that vdirsyncer keeps alike.
fn sync(on: &Subject, theirs: &Path, ending: &str) {
    let config = on.root.path().join("vdirsyncer.conf");
    let text = format!(
        "[general]\nstatus_path = \"{}\"\n[pair both]\na = \"ours\"\nb = \"theirs\"\ncollections = [\"from a\"]\n\
         implicit = \"create\"\nmetadata = [\"displayname\", \"color\"]\n\
         [storage ours]\ntype = \"filesystem\"\npath = \"{}\"\nfileext = \"{ending}\"\n\
         [storage theirs]\ntype = \"filesystem\"\npath = \"{}\"\nfileext = \"{ending}\"\n",
        on.root.path().join("status").display(),
        on.folder("").display(),
        theirs.display(),
    );
    fs::write(&config, text).unwrap();
    let program = transhume_servers::vdirsyncer().expect("run scripts/install-test-servers dav");
    for verb in ["discover", "sync", "metasync"] {
        let mut command = Command::new(&program);
        command.arg("-c").arg(&config).arg(verb).env("HOME", on.root.path()).env("LC_ALL", "C.UTF-8");
        said(&mut command);
    }
}

/// Name, colour and items of a folder, whatever the items are called there.
fn held(folder: &Path) -> (Vec<String>, Vec<String>) {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let (items, others): (Vec<_>, Vec<_>) = entries
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .partition(|path| path.extension().is_some());
    let texts = |paths: Vec<_>| {
        let mut texts: Vec<_> = paths.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        texts.sort();
        texts
    };
    (texts(items), texts(others))
}

#[tokio::test]
async fn vdirsyncer_takes_calendars_with_names_and_colours_and_brings_back_what_people_did() {
    let on = written().await;
    let theirs = on.root.path().join("theirs");
    sync(&on, &theirs, ".ics");
    let (items, about) = held(&theirs.join("Été"));
    assert_eq!((items.len(), about), (2, vec!["#ff8800".to_owned(), "Été".to_owned()]));
    assert_eq!(items, held(&on.folder("Été")).0);
    // They add one there: it is told as what it is, and nothing of ours is doubled.
    fs::write(theirs.join("Été/fresh.ics"), event("fresh", "theirs")).unwrap();
    sync(&on, &theirs, ".ics");
    assert_eq!(held(&on.folder("Été")).0.len(), 3);
    let holdings = on
        .target
        .holdings(&transhume_contract::AccountId::new("ada"), transhume_contract::Workload::Mail, 9)
        .await
        .unwrap();
    assert_eq!(holdings.items, 3);
    assert!(holdings.keys.contains(&"fresh".to_owned()), "{:?}", holdings.keys);
}

#[tokio::test]
async fn vdirsyncer_takes_contacts() {
    let on = Subject::new(Workload::Contacts);
    let at = on.ensure(&["People"]).await;
    let card = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:1\r\nFN:Zoë\r\nBDAY:--0401\r\nEND:VCARD\r\n";
    on.place(&at, placing("one", "urn:uuid:1", card)).await.unwrap();
    let theirs = on.root.path().join("theirs");
    sync(&on, &theirs, ".vcf");
    assert_eq!(held(&theirs.join("People")).0, [card]);
}
