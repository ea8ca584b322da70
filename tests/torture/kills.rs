//! SIGKILL at random moments of the real program, in the first pass and in later ones; then it is run until nothing is
//! owed, and the target must hold what an undisturbed run placed, each message once.

use crate::{
    place::{Server, before, cut_at_random, cut_nothing, logins},
    project::Project,
    stage,
    standing::{assert_same, standing},
};
use fastrand::Rng;
use std::{
    env,
    os::unix::process::ExitStatusExt,
    time::{Duration, Instant},
};
use tokio::time::timeout;
use transhume_servers::Proxy;

/// Servers that share the kills.
const CASES: u32 = 7;
const PEOPLE: usize = 3;
const SIGKILL: i32 = 9;
/// Days of change after the first pass, at most; at least one.
const DAYS: u64 = 12;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

fn kills() -> u32 {
    let total = number("TRANSHUME_TORTURE_KILLS").map_or(10, |count| u32::try_from(count).unwrap());
    total.div_ceil(CASES).max(1)
}

pub fn seed() -> u64 {
    number("TRANSHUME_TORTURE_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000))
}

/// One server with two projects that move the same people: one undisturbed, one tortured.
struct Torture {
    case: String,
    dice: Rng,
    server: Server,
    /// Between the tortured project and the server.
    cutter: Proxy,
    cuts: bool,
    undisturbed: Project,
    tortured: Project,
    kills_left: u32,
    /// How much of the undisturbed run's time the moments are taken from; less each time one came too late.
    within: f64,
}

impl Torture {
    /// Runs both projects; the tortured one is killed up to so many times.
    async fn pass(&mut self, kills: u32) {
        let begun = Instant::now();
        let done = self.undisturbed.run_until_done(3).await;
        assert_eq!(done.code, 0, "{}: undisturbed: {}\n{:?}", self.case, done.stderr, done.summary());
        let span = begun.elapsed();
        for _ in 0..kills {
            if self.cuts {
                cut_at_random(&self.cutter, &mut self.dice);
            }
            if !self.killed(span).await {
                break;
            }
        }
        if self.cuts {
            cut_at_random(&self.cutter, &mut self.dice);
            self.tortured.run_until_done(4).await;
            cut_nothing(&self.cutter);
        }
        let done = self.tortured.run_until_done(8).await;
        assert_eq!(done.code, 0, "{}: tortured: {}\n{:?}", self.case, done.stderr, done.events);
        let found = standing(self.server.port(), &logins("b", PEOPLE));
        assert_same(&found, &standing(self.server.port(), &logins("a", PEOPLE)), &self.case);
    }

    /// Starts the program and kills it at a random moment. False when it ended before.
    async fn killed(&mut self, span: Duration) -> bool {
        let mut child = self.tortured.start();
        let moment = span.mul_f64(self.within * self.dice.f64());
        if timeout(moment, child.wait()).await.is_ok() {
            self.within *= 0.7;
            return false;
        }
        child.start_kill().unwrap();
        if child.wait().await.unwrap().signal() != Some(SIGKILL) {
            return false; // it ended by itself in the meantime
        }
        self.kills_left -= 1;
        true
    }
}

async fn torture(name: &str, server: fn(&[String]) -> Server, hidden: &[&str], cuts: bool) {
    let seed = seed();
    let simulator = stage::office(PEOPLE as u32, 50, seed).await;
    let people = stage::people(&simulator, PEOPLE);
    stage::add_twins(&simulator, &people[0]);
    let everybody: Vec<_> = logins("a", PEOPLE).into_iter().chain(logins("b", PEOPLE)).collect();
    let server = server(&everybody);
    let (calm, cutter) = (before(&server, hidden), before(&server, hidden));
    let project = |stem, port| Project::new(&simulator, &people, &logins(stem, PEOPLE), port, "");
    let mut torture = Torture {
        case: format!("{name}, TRANSHUME_TORTURE_SEED={seed}"),
        dice: Rng::with_seed(seed),
        undisturbed: project("a", calm.port()),
        tortured: project("b", cutter.port()),
        server,
        cutter,
        cuts,
        kills_left: kills(),
        within: 1.0,
    };
    torture.pass(torture.kills_left.div_ceil(2)).await;
    for day in 1..=DAYS {
        stage::churn(&simulator, seed + day, 40);
        torture.pass(torture.kills_left.min(2)).await;
        if torture.kills_left == 0 {
            return;
        }
    }
    panic!("{}: of {} kills {} came too late each time", torture.case, kills(), torture.kills_left);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_dovecot() {
    torture("Dovecot", Server::dovecot, &[], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_cyrus() {
    torture("Cyrus", Server::cyrus, &[], false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_cut_before_cyrus() {
    torture("Cyrus, cut", Server::cyrus, &[], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_cut_without_uidplus() {
    torture("no UIDPLUS", Server::dovecot, &["UIDPLUS"], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_cut_without_multiappend() {
    torture("no MULTIAPPEND", Server::dovecot, &["MULTIAPPEND"], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_cut_without_uidplus_multiappend_and_literals() {
    torture("no UIDPLUS, MULTIAPPEND, LITERAL+", Server::dovecot, &["UIDPLUS", "MULTIAPPEND", "LITERAL+"], true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_cut_without_move() {
    torture("no MOVE", Server::dovecot, &["MOVE"], true).await;
}
