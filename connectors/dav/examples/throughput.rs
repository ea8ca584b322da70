//! How fast events go into a real server: `throughput radicale|xandikos|cyrus EVENTS CALENDARS ZONED-PERCENT [DIR]`.
//! With DIR, the same events are written there too, a folder per calendar, for other programs to be measured with, and
//! the server stays until a line is read. `CONNECTIONS` in the environment sets how many are used, `SERVER_DIR`
//! where the server keeps everything (one in memory leaves the disk out of the measure).
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for those who measure")]

use async_trait::async_trait;
use futures::StreamExt;
use secrecy::SecretString;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use transhume_contract::{
    AccountId, Appearance, Collection, Credential, Facts, Fault, IntentId, Placing, Role, Secret, Target, Wanted,
    Workload, memory::HeldBody,
};
use transhume_dav::{DavConfig, DavTarget};
use transhume_servers::{Cyrus, CyrusOptions, DavKind, DavOptions, DavServer};

struct OnePassword;

#[async_trait]
impl Credential for OnePassword {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        Ok(Secret::Password { user: account.as_str().to_owned(), password: SecretString::from("secret") })
    }
}

const ZONE: &str = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:20231029T030000\r\n\
    TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n\
    BEGIN:DAYLIGHT\r\nDTSTART:20240331T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\n\
    RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";

/// 0.7 KB, every fifth of them a series.
fn event(n: usize, zoned: bool) -> String {
    let (zone, start) = match zoned {
        true => (ZONE, format!("DTSTART;TZID=Europe/Berlin:202503{:02}T100000", n % 28 + 1)),
        false => ("", format!("DTSTART:202503{:02}T090000Z", n % 28 + 1)),
    };
    let rule = if n.is_multiple_of(5) { "RRULE:FREQ=WEEKLY;COUNT=20\r\n" } else { "" };
    let text = "Words about what is to be talked over. ".repeat(10);
    let folded: Vec<&str> = text.as_bytes().chunks(70).map(|part| std::str::from_utf8(part).unwrap()).collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n{zone}BEGIN:VEVENT\r\nUID:bench-{n}\r\n\
         DTSTAMP:20250101T000000Z\r\n{start}\r\nDURATION:PT1H\r\n{rule}SUMMARY:Meeting {n}\r\nDESCRIPTION:{}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n",
        folded.join("\r\n ")
    )
}

enum Running {
    Dav(DavServer),
    Cyrus(Cyrus),
}

fn start(name: &str) -> (Running, String) {
    let users = ["alice"];
    let dir = std::env::var_os("SERVER_DIR").map(PathBuf::from);
    let dav = |kind| {
        let options = DavOptions { dir: dir.clone(), ..DavOptions::with_accounts(kind, &users) };
        DavServer::start(options).unwrap()
    };
    let server = match name {
        "radicale" => Running::Dav(dav(DavKind::Radicale)),
        "xandikos" => Running::Dav(dav(DavKind::Xandikos)),
        _ => {
            let options = CyrusOptions { dav: true, dir: dir.clone(), ..CyrusOptions::with_accounts(&users) };
            Running::Cyrus(Cyrus::start(options).unwrap())
        }
    };
    let url = match &server {
        Running::Dav(server) => server.url(),
        Running::Cyrus(server) => server.dav_url().unwrap(),
    };
    (server, url)
}

async fn calendar(target: &DavTarget, n: usize) -> Collection {
    let want = Wanted {
        account: AccountId::new("alice"),
        workload: Workload::Calendar,
        path: vec![format!("Calendar {n}")],
        parent: None,
        role: Role::Ordinary,
        known: None,
        adopt: false,
        claimed: std::sync::Arc::default(),
        appearance: Appearance::default(),
    };
    target.ensure(&want).await.unwrap()
}

fn placing(n: usize, text: String) -> Placing {
    let body = Arc::new(HeldBody::new(text));
    let (intent, key) = (IntentId::new(n.to_string()), Some(format!("bench-{n}")));
    Placing { intent, facts: Facts::default(), name: None, key, instead: None, body }
}

/// Batches as the traits ask for them, calendars side by side as they allow.
async fn fill(target: &DavTarget, calendars: Vec<Vec<(usize, String)>>) {
    let traits = target.traits(&AccountId::new("alice")).await.unwrap();
    let one = |(index, events): (usize, Vec<(usize, String)>)| async move {
        let at = calendar(target, index).await;
        for batch in events.chunks(traits.batch.items) {
            let batch = batch.iter().map(|(n, text)| placing(*n, text.clone())).collect();
            let answers: Vec<_> = target.place(&at, batch).collect().await;
            assert!(
                answers.iter().all(|(_, answer)| answer.is_ok()),
                "{:?}",
                answers.iter().find(|one| one.1.is_err())
            );
        }
    };
    futures::stream::iter(calendars.into_iter().enumerate())
        .map(one)
        .buffer_unordered(traits.lanes)
        .collect::<()>()
        .await;
}

fn write(dir: &Path, calendars: &[Vec<(usize, String)>]) {
    for (index, events) in calendars.iter().enumerate() {
        let dir = dir.join(format!("cal{index}"));
        std::fs::create_dir_all(&dir).unwrap();
        events.iter().for_each(|(n, text)| std::fs::write(dir.join(format!("bench-{n}.ics")), text).unwrap());
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: usize| arguments.get(index).map_or(default, |text| text.parse().unwrap());
    let (events, calendars, percent) = (number(1, 1000), number(2, 10), number(3, 0));
    let mut all = vec![Vec::new(); calendars];
    (0..events).for_each(|n| all[n % calendars].push((n, event(n, (n / calendars) % 100 < percent))));
    let (server, url) = start(arguments.first().map_or("radicale", String::as_str));
    if let Some(dir) = arguments.get(4).map(PathBuf::from) {
        write(&dir, &all);
    }
    let connections = std::env::var("CONNECTIONS").ok().map(|text| text.parse().unwrap());
    let config = DavConfig { connections, ..DavConfig::new(&url) };
    let target = DavTarget::new(config, Arc::new(OnePassword)).unwrap();
    let since = Instant::now();
    fill(&target, all).await;
    let took = since.elapsed().as_secs_f64();
    println!(
        "{url} {events} events, {percent} % with zones, {calendars} calendars: {took:.1} s, {:.0}/s",
        events as f64 / took
    );
    if arguments.len() > 4 {
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
    drop(server);
}
