//! `demo`: the whole job on a simulated tenant, with the same verbs a user would type.

mod setting;
mod summary;
mod tenant;

use super::{
    args::{self, Again, Choice, Common},
    check,
    exit::{self, Exit, Failure},
    init::ACCOUNTS,
    moving, plan, roll, session, status, survey,
    terminal::{self, Terminal},
    verify,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Where the project goes when none is named.
const FOLDER: &str = "transhume-demo";

pub async fn run(common: &Common, demo: &args::Demo, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let project = if common.project == Path::new(".") { PathBuf::from(FOLDER) } else { common.project.clone() };
    let again = tenant::stands(&project);
    let common = Common { project, ..common.clone() };
    let simulator = tenant::serve(&common.project, demo, again).await?;
    setting::make(&common.project, demo, &simulator.base_url()).await?;
    terminal.say(&format!("project {}; simulated Microsoft 365 at {}", common.project.display(), simulator.base_url()));
    let first = terminal.moved();
    if !again {
        first_steps(&common, demo, &terminal).await?;
    }
    let (before, begun) = (terminal.moved(), Instant::now());
    step(&terminal, if again { "run again: nothing should move" } else { "run: everything moves" });
    moving::run(&common, moving::What::Both, Again::default(), Arc::clone(&terminal)).await?;
    if !again {
        step(&terminal, "people keep working at Microsoft 365; a second run brings only what changed");
        tenant::work_on(&simulator, demo.seed)?;
        moving::run(&common, moving::What::Both, Again::default(), Arc::clone(&terminal)).await?;
    }
    let sampled = before.since(first).fetched;
    let work = summary::Work { moved: terminal.moved().since(before), sampled, time: begun.elapsed() };
    step(&terminal, "verify: everything is read back and compared");
    let depth = args::Verify { depth: args::DepthArgument::Content, sample: None, choice: Choice::default() };
    let verified = verify::run(&common, &depth, Arc::clone(&terminal)).await?;
    tenant::keep(&simulator.tenant(), &common.project)?;
    simulator.stop().await;
    step(&terminal, "summary");
    summary::show(&common, demo, work, verified, &terminal).await?;
    // The simulated tenant holds odd things that the service itself cannot give out: that some is in quarantine is the point.
    Ok(if verified == Exit::Owing { Exit::Done } else { verified })
}

fn step(terminal: &Terminal, title: &str) {
    terminal.say(&format!("\n== {title}"));
}

/// What an administrator does before the first wave: survey, check, plan.
async fn first_steps(common: &Common, demo: &args::Demo, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    step(terminal, "survey: who is there");
    survey::run(common, &args::Survey { write_accounts: true, dry_run: false }, Arc::clone(terminal)).await?;
    setting::give_logins(&common.project, demo)?;
    step(terminal, "check: both sides, account by account");
    check::run(common, false, None, Arc::clone(terminal)).await?;
    step(terminal, "plan: what would move");
    plan::run(common, &args::Plan { sample: 10, choice: Choice::default() }, Arc::clone(terminal)).await?;
    Ok(())
}
