//! The window of requests that a mailbox grants is kept, shown with limits small enough to wait for.

use crate::{
    place::{Server, logins},
    project::Project,
    stage,
    standing::standing,
};
use serde_json::json;
use std::time::Instant;

const REQUESTS: u32 = 60;
const WINDOW_SECONDS: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_is_kept_and_nearly_filled() {
    let simulator = stage::office(1, 180, 5).await;
    let limits = json!({ "requests": REQUESTS, "window_s": WINDOW_SECONDS });
    simulator.faults(json!({ "limits": limits })).unwrap();
    let (people, login) = (stage::people(&simulator, 1), logins("a", 1));
    let server = Server::dovecot(&login);
    let ours = format!("[limits]\nrequests = {REQUESTS}\nwindow_seconds = {WINDOW_SECONDS}\n");
    let project = Project::new(&simulator, &people, &login, server.port(), &ours);
    let begun = Instant::now();
    let done = project.run_until_done(1).await;
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(done.code, 0, "{}", done.stderr);
    let stats = simulator.stats();
    assert_eq!((stats.window_breaches, stats.concurrency_breaches, stats.early_calls), (0, 0, 0));
    let windows = stats.total as f64 / f64::from(REQUESTS);
    let least = (windows - 1.5).max(0.0) * f64::from(WINDOW_SECONDS);
    assert!(windows > 2.5, "{windows} windows prove nothing");
    assert!(seconds >= least, "{} requests in {seconds:.1} s", stats.total);
    assert!(seconds < windows * f64::from(WINDOW_SECONDS) * 2.0 + 15.0, "{windows} windows took {seconds:.1} s");
    assert!(standing(server.port(), &login)[0].len() >= 180);
}
