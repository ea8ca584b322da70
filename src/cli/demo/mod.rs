//! `demo`: the whole job on a simulated tenant, with the same verbs a user would type.

mod summary;

use super::{
    args::{self, Again, Choice, Common},
    check,
    exit::{self, Exit, Failure},
    init::{self, ACCOUNTS},
    moving, plan, roll, session, status, survey,
    terminal::{self, Terminal},
    verify,
};
use crate::{
    config::{AccountLine, FILE, read_accounts, write_accounts},
    store::{Project, StoreOptions},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use transhume_simulators::{
    Options, Running, Simulator,
    dump::Dump,
    seed::{Recipe, tenant},
};

/// Where the project goes when none is named.
const FOLDER: &str = "transhume-demo";
/// Where the demo keeps the tenant as its last run left it.
const TENANT: &str = "tenant";

pub async fn run(common: &Common, demo: &args::Demo, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let project = if common.project == Path::new(".") { PathBuf::from(FOLDER) } else { common.project.clone() };
    let again = project.join(TENANT).is_dir();
    let common = Common { project, ..common.clone() };
    let simulator = simulator(&common.project, demo, again).await?;
    set_up(&common, demo, &simulator).await?;
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
        let churn = serde_json::json!([{ "op": "churn", "seed": demo.seed, "count": 40 }]);
        simulator.mutate(churn).map_err(Failure::stuck)?;
        moving::run(&common, moving::What::Both, Again::default(), Arc::clone(&terminal)).await?;
    }
    let sampled = before.since(first).fetched;
    let work = summary::Work { moved: terminal.moved().since(before), sampled, time: begun.elapsed() };
    step(&terminal, "verify: every byte is read back and compared");
    let depth = args::Verify { depth: args::DepthArgument::Content, sample: None, choice: Choice::default() };
    let verified = verify::run(&common, &depth, Arc::clone(&terminal)).await?;
    keep(&simulator.tenant(), &common.project.join(TENANT))?;
    simulator.stop().await;
    step(&terminal, "summary");
    summary::show(&common, demo, work, verified, &terminal).await?;
    // The simulated tenant holds odd mail that the service itself cannot give out: that some is in quarantine is the point.
    Ok(if verified == Exit::Owing { Exit::Done } else { verified })
}

fn step(terminal: &Terminal, title: &str) {
    terminal.say(&format!("\n== {title}"));
}

/// The tenant as the last demo left it, or a fresh one.
async fn simulator(project: &Path, demo: &args::Demo, again: bool) -> Result<Running, Failure> {
    let dump = if again {
        Dump::load(&project.join(TENANT)).map_err(|error| Failure::stuck(error.to_string()))?
    } else {
        let (accounts, messages, seed) = (demo.accounts, demo.messages, demo.seed);
        tenant(&Recipe { accounts, messages, seed, hostile: true, ..Recipe::default() })
    };
    Simulator::start(dump, Options::default()).await.map_err(|error| Failure::stuck(error.to_string()))
}

/// Writes the tenant beside the old one and then in its place, so that an interrupted demo keeps one of them.
fn keep(dump: &Dump, folder: &Path) -> Result<(), Failure> {
    let fresh = folder.with_extension("new");
    let _left_by_an_interrupted_demo = fs::remove_dir_all(&fresh);
    dump.save(&fresh).map_err(|error| Failure::stuck(error.to_string()))?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::rename(fresh, folder)?)
}

/// The project as `init` and an administrator would make it. The simulator's port changes from run to run.
async fn set_up(common: &Common, demo: &args::Demo, simulator: &Running) -> Result<(), Failure> {
    Project::create(&common.project, StoreOptions::default()).await?;
    fs::write(common.project.join("client-secret"), "secret\n")?;
    fs::write(common.project.join(FILE), configuration(demo, simulator)?)?;
    Ok(())
}

fn configuration(demo: &args::Demo, simulator: &Running) -> Result<String, Failure> {
    let url = simulator.base_url();
    let target = match (&demo.imap, &demo.master) {
        (Some(address), Some(master)) => format!(
            "connector = \"imap\"\nhost = \"{}\"\nport = {}\nsecurity = \"plain\"\nauthentication = \"master\"\n\
             master = \"{master}\"\npassword = {{ env = \"TRANSHUME_IMAP_PASSWORD\" }}\n",
            address.ip(),
            address.port()
        ),
        (Some(_), None) => return Err(Failure::usage("--imap needs --master, the login that acts for every account")),
        (None, _) => "connector = \"folder\"\npath = \"mail\"\n".into(),
    };
    Ok(format!(
        "# Written by `transhume demo`: a simulated tenant.\n[source]\nconnector = \"graph\"\ntenant = \"contoso\"\n\
         client_id = \"app\"\nclient_secret = {{ file = \"client-secret\" }}\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n\n\
         [target.mail]\n{target}"
    ))
}

/// What an administrator does before the first wave: survey, check, plan.
async fn first_steps(common: &Common, demo: &args::Demo, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    step(terminal, "survey: who is there");
    survey::run(common, &args::Survey { write_accounts: true, dry_run: false }, Arc::clone(terminal)).await?;
    give_logins(&common.project.join(ACCOUNTS), demo)?;
    step(terminal, "check: both sides, account by account");
    check::run(common, false, Arc::clone(terminal)).await?;
    step(terminal, "plan: what would move");
    plan::run(common, &args::Plan { sample: 10, choice: Choice::default() }, Arc::clone(terminal)).await?;
    Ok(())
}

/// At the new server people log in with the first part of their address; `make demo` creates just those logins.
fn give_logins(path: &Path, demo: &args::Demo) -> Result<(), Failure> {
    let lines = read_accounts(path)?;
    let logins: Vec<_> = (1..=lines.len()).map(|number| format!("account{number}")).collect();
    let login = |(line, number): (AccountLine, &String)| match demo.imap {
        Some(_) => AccountLine { target: number.clone(), ..line },
        None => AccountLine { target: local_part(&line.source), ..line },
    };
    let lines: Vec<_> = lines.into_iter().zip(&logins).map(login).collect();
    Ok(write_accounts(path, &lines)?)
}

fn local_part(address: &str) -> String {
    address.split('@').next().unwrap_or(address).to_owned()
}
