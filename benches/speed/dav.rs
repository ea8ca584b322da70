//! Pushing calendars into Radicale, Xandikos and Cyrus, next to them and 30 ms away, against `vdirsyncer` from files of
//! the same events, and against a client that does nothing but PUT.

mod ground;
mod plain;
mod stand;

use crate::{table, watched::Watched};
use ground::Ground;
use stand::{Kind, Stand};
use std::time::Duration;

const NEAR: Duration = Duration::ZERO;
const FAR: Duration = Duration::from_millis(15);

/// Events per second.
struct Speeds {
    transhume: f64,
    vdirsyncer: f64,
    plain: f64,
    /// The part of one processor's time that the server took while transhume pushed.
    busy: f64,
}

/// Seconds, of all turns together.
#[derive(Default)]
struct Raced {
    own: Spent,
    theirs: Spent,
    plain: f64,
    /// Processor time that the server took while transhume pushed.
    server: f64,
}

#[derive(Default)]
struct Spent {
    seconds: f64,
    cpu_seconds: f64,
}

impl Spent {
    fn add(&mut self, watched: &Watched) {
        self.seconds += watched.seconds;
        self.cpu_seconds += watched.cpu_seconds;
    }
}

impl Raced {
    fn speeds(&self, events: f64) -> Speeds {
        Speeds {
            transhume: events / self.own.seconds,
            vdirsyncer: events / self.theirs.seconds,
            plain: events / self.plain,
            busy: self.server / self.own.seconds,
        }
    }
}

/// A server in whose calendars each event takes longer than the one before: the far run has fewer of them.
pub fn radicale(events: u32) {
    head(Kind::Radicale);
    for (away, events) in [(NEAR, events), (FAR, events * 2 / 5)] {
        races(&Ground::new(events), Kind::Radicale, away, 1);
    }
}

/// Here the rivals are as quick as each other, so that what the machine does beside them decides: they take turns.
pub fn xandikos(events: u32) {
    const TURNS: u32 = 2;
    head(Kind::Xandikos);
    let ground = Ground::new(events / TURNS);
    for away in [NEAR, FAR] {
        races(&ground, Kind::Xandikos, away, TURNS);
    }
}

pub fn cyrus(events: u32) {
    head(Kind::Cyrus);
    let ground = Ground::new(events);
    for away in [NEAR, FAR] {
        races(&ground, Kind::Cyrus, away, 1);
    }
}

fn head(kind: Kind) {
    let title = format!("{}: events in 10 calendars of one account, the server in {}", kind.name(), stand::medium());
    table::head(&title, &["away", "events", "transhume/s", "vdirsyncer/s", "bare PUTs/s"]);
}

fn races(ground: &Ground, kind: Kind, each_way: Duration, turns: u32) {
    let mut raced = Raced::default();
    for _ in 0..turns {
        race(ground, kind, each_way, &mut raced);
    }
    let total = ground.total() * f64::from(turns);
    let speeds = raced.speeds(total);
    let away = if each_way.is_zero() { String::new() } else { format!(", {} ms away", 2 * each_way.as_millis()) };
    let figures = [total, speeds.transhume, speeds.vdirsyncer, speeds.plain].map(|figure| format!("{figure:.0}"));
    table::row(&[&[format!("{}{away}", kind.name())], &figures[..]].concat());
    let [own, theirs, server] =
        [raced.own.cpu_seconds, raced.theirs.cpu_seconds, raced.server].map(|seconds| seconds / total * 1e6);
    println!(
        "  processor time an event: transhume {own:.0} µs, vdirsyncer {theirs:.0} µs, the server for transhume {server:.0} µs"
    );
    judge(kind, each_way, &speeds);
}

/// Each rival gets a fresh server.
fn race(ground: &Ground, kind: Kind, each_way: Duration, raced: &mut Raced) {
    let stand = || Stand::start(kind, ground.port(), each_way);
    let (own, server) = ground.transhume(&stand());
    raced.own.add(&own);
    raced.server += server;
    raced.theirs.add(&ground.vdirsyncer(&stand()));
    raced.plain += ground.plain(&stand());
}

/// No client gets more out of a server than it computes. None of the three works on two writes of an account at once, on
/// however many connections they come: Radicale and Xandikos are Python programs with one lock for all their threads
/// (Radicale takes 5 ms to read an event with a time zone, in whatever way it comes), and Cyrus was seen to take turns.
/// Where the server computes nearly all the time of a push, the goal is met.
const BUSY: f64 = 0.85;

fn judge(kind: Kind, each_way: Duration, speeds: &Speeds) {
    let times = speeds.transhume / speeds.vdirsyncer;
    let share = speeds.transhume / speeds.plain;
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    match kind {
        // Away, Radicale also closes a connection after each answer, so that an event costs two ways there and back.
        Kind::Radicale if !each_way.is_zero() && times < 5.0 => {
            let told =
                format!("transhume is {times:.1} times vdirsyncer (goal 5), and {} of the bare client", percent(share));
            table::goal(&format!("{told} (or 90 %)"), share >= 0.9);
        }
        Kind::Radicale | Kind::Cyrus => {
            let told =
                format!("transhume is {times:.1} times vdirsyncer (goal 5), the server busy {}", percent(speeds.busy));
            table::goal(&format!("{told} (or 85 %)"), times >= 5.0 || speeds.busy >= BUSY);
        }
        Kind::Xandikos => {
            let told = format!("transhume is {times:.2} times vdirsyncer (goal 1, give or take 5 %)");
            table::goal(&told, times >= 0.95);
            table::goal(&format!("and {} of the bare client (goal 90 %)", percent(share)), share >= 0.9);
        }
    }
}
