//! SIGKILL at random moments of the real program, in the first pass and in later ones; then it is run until nothing is
//! owed, and the target must hold what an undisturbed run placed, each item once.

use crate::{
    groupware::Groupware,
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
use transhume_servers::{DavKind, Proxy};

/// Servers that share the kills.
const CASES: u32 = 10;
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

/// Where two projects move the same people to: one undisturbed, one tortured.
trait Place {
    async fn undisturbed(&self) -> Vec<Vec<String>>;
    async fn tortured(&self) -> Vec<Vec<String>>;
    /// Lets the wires of the tortured project break at random from now on, or not.
    fn cut(&self, _dice: Option<&mut Rng>) {}
}

/// One mail server, each project with logins of its own, behind proxies that hide capabilities and cut wires.
struct Mail {
    server: Server,
    _calm: Proxy,
    cutter: Proxy,
    cuts: bool,
}

impl Place for Mail {
    async fn undisturbed(&self) -> Vec<Vec<String>> {
        standing(self.server.port(), &logins("a", PEOPLE))
    }

    async fn tortured(&self) -> Vec<Vec<String>> {
        standing(self.server.port(), &logins("b", PEOPLE))
    }

    fn cut(&self, dice: Option<&mut Rng>) {
        match dice.filter(|_| self.cuts) {
            Some(dice) => cut_at_random(&self.cutter, dice),
            None => cut_nothing(&self.cutter),
        }
    }
}

/// Two calendar servers of a kind, one for each project.
impl Place for [Groupware; 2] {
    async fn undisturbed(&self) -> Vec<Vec<String>> {
        self[0].standing().await
    }

    async fn tortured(&self) -> Vec<Vec<String>> {
        self[1].standing().await
    }
}

struct Torture<P> {
    case: String,
    dice: Rng,
    place: P,
    undisturbed: Project,
    tortured: Project,
    kills_left: u32,
    /// How much of the undisturbed run's time the moments are taken from; less each time one came too late.
    within: f64,
}

impl<P: Place> Torture<P> {
    fn new(case: &str, seed: u64, place: P, [undisturbed, tortured]: [Project; 2]) -> Self {
        let (case, dice) = (format!("{case}, TRANSHUME_TORTURE_SEED={seed}"), Rng::with_seed(seed));
        Self { case, dice, place, undisturbed, tortured, kills_left: kills(), within: 1.0 }
    }

    /// Half of the kills in the first pass, the others on days of change.
    async fn days(mut self, mut work: impl FnMut(u64)) {
        self.pass(self.kills_left.div_ceil(2)).await;
        for day in 1..=DAYS {
            work(day);
            self.pass(self.kills_left.min(2)).await;
            if self.kills_left == 0 {
                return;
            }
        }
        panic!("{}: of {} kills {} came too late each time", self.case, kills(), self.kills_left);
    }

    /// Runs both projects; the tortured one is killed up to so many times.
    async fn pass(&mut self, kills: u32) {
        let begun = Instant::now();
        let done = self.undisturbed.run_until_done(3).await;
        assert_eq!(done.code, 0, "{}: undisturbed: {}\n{:?}", self.case, done.stderr, done.summary());
        let span = begun.elapsed();
        for _ in 0..kills {
            self.place.cut(Some(&mut self.dice));
            if !self.killed(span).await {
                break;
            }
        }
        self.place.cut(Some(&mut self.dice));
        self.tortured.run_until_done(4).await;
        self.place.cut(None);
        let done = self.tortured.run_until_done(8).await;
        assert_eq!(done.code, 0, "{}: tortured: {}\n{:?}", self.case, done.stderr, done.events);
        assert_same(&self.place.tortured().await, &self.place.undisturbed().await, &self.case);
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
    let projects = [project("a", calm.port()), project("b", cutter.port())];
    let place = Mail { server, _calm: calm, cutter, cuts };
    Torture::new(name, seed, place, projects).days(|day| stage::churn(&simulator, seed + day, 40)).await;
}

async fn torture_groupware(name: &str, people: usize, server: fn(&[String]) -> Groupware) {
    let seed = seed();
    let simulator = stage::groupware(people as u32, 20, seed).await;
    let (people, logins) = (stage::owners(&simulator, "event", people), logins("g", people));
    let servers = [server(&logins), server(&logins)];
    let projects = servers.each_ref().map(|server| Project::groupware(&simulator, &people, &logins, &server.url()));
    for project in &projects {
        let proven = project.call(&["check", "--canary"]).await;
        assert_eq!(proven.code, 0, "{name}: {}", proven.stderr);
    }
    Torture::new(name, seed, servers, projects)
        .days(|day| stage::churn_groupware(&simulator, &people, seed + day, 8))
        .await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_radicale() {
    torture_groupware("Radicale", 2, |logins| Groupware::dav(DavKind::Radicale, logins)).await;
}

/// Which has one account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_xandikos() {
    torture_groupware("Xandikos", 1, |logins| Groupware::dav(DavKind::Xandikos, logins)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_cyrus_and_its_calendars() {
    torture_groupware("Cyrus, calendars", 2, Groupware::cyrus).await;
}
