//! Pushing calendars into Radicale, Xandikos and Cyrus, next to them and 30 ms away, against `vdirsyncer` from files of
//! the same events, and against a client that does nothing but PUT.

mod ground;
mod plain;
mod stand;

use crate::table;
use ground::Ground;
use stand::{Kind, Stand};
use std::time::Duration;

const NEAR: Duration = Duration::ZERO;
const FAR: Duration = Duration::from_millis(15);

/// A server, how far away each way, and which part of the events: a slow one gets fewer, so that all of it ends.
const RACES: [(Kind, Duration, f64); 6] = [
    (Kind::Radicale, NEAR, 1.0),
    (Kind::Radicale, FAR, 0.4),
    (Kind::Xandikos, NEAR, 0.4),
    (Kind::Xandikos, FAR, 0.4),
    (Kind::Cyrus, NEAR, 1.0),
    (Kind::Cyrus, FAR, 1.0),
];

/// Events per second.
struct Speeds {
    transhume: f64,
    vdirsyncer: f64,
    plain: f64,
}

pub fn run(events: u32) {
    let title = format!("dav: up to {events} events in 10 calendars of one account, servers in {}", stand::medium());
    table::head(&title, &["into", "events", "transhume/s", "vdirsyncer/s", "bare PUTs/s"]);
    let mut grounds: Vec<(u32, Ground)> = Vec::new();
    for (kind, each_way, part) in RACES {
        let size = (f64::from(events) * part) as u32;
        if grounds.iter().all(|(known, _)| *known != size) {
            grounds.push((size, Ground::new(size)));
        }
        let (_, ground) = grounds.iter().find(|(known, _)| *known == size).unwrap();
        let speeds = race(ground, kind, each_way);
        judge(kind, &speeds);
    }
}

/// Each rival gets a fresh server.
fn race(ground: &Ground, kind: Kind, each_way: Duration) -> Speeds {
    let stand = || Stand::start(kind, ground.port(), each_way);
    let own = ground.transhume(&stand());
    let theirs = ground.vdirsyncer(&stand());
    let plain = ground.plain(&stand());
    let total = ground.total();
    let speeds = Speeds { transhume: total / own.seconds, vdirsyncer: total / theirs.seconds, plain: total / plain };
    let away = if each_way.is_zero() { String::new() } else { format!(", {} ms away", 2 * each_way.as_millis()) };
    let figures = [total, speeds.transhume, speeds.vdirsyncer, speeds.plain].map(|figure| format!("{figure:.0}"));
    table::row(&[&[format!("{}{away}", kind.name())], &figures[..]].concat());
    let processor = [own.cpu_seconds, theirs.cpu_seconds].map(|seconds| seconds / total * 1e6);
    println!("  processor time an event: transhume {:.0} µs, vdirsyncer {:.0} µs", processor[0], processor[1]);
    speeds
}

fn judge(kind: Kind, speeds: &Speeds) {
    let times = speeds.transhume / speeds.vdirsyncer;
    let share = speeds.transhume / speeds.plain;
    match kind {
        Kind::Radicale | Kind::Cyrus => {
            table::goal(&format!("transhume is {times:.1} times vdirsyncer (goal 5)"), times >= 5.0);
        }
        Kind::Xandikos => {
            table::goal(&format!("transhume is {times:.2} times vdirsyncer (goal 1)"), times >= 1.0);
            table::goal(&format!("and {:.0} % of the bare client (goal 90 %)", share * 100.0), share >= 0.9);
        }
    }
}
