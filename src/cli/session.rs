//! What most verbs begin with: configuration, accounts, connectors, the opened project, and the wish to stop.

use super::{
    args::Common,
    exit::{Exit, Failure},
    init::ACCOUNTS,
    strangers::{self, Stranger},
    terminal::{Terminal, complain},
};
use crate::{
    config::{AccountLine, Config, FILE, SourceConfig, read_accounts},
    engine::{Engine, Mover, Stop, Wish, discover, muster},
    registry,
    store::{AccountRow, Opening, Project, Side, StoreOptions},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use transhume_contract::{Fault, Identity};

/// Accounts read at once.
const PAGE: usize = 500;

/// The verb that ties a project to nothing: it finds out whether the sides are the right ones.
pub const CHECK: &str = "check";

/// Everything a verb works with.
pub struct Session {
    pub project: Project,
    pub engine: Engine,
    pub movers: Vec<Mover>,
    pub config: Config,
    /// Chosen, and unknown to the tenant: they stop nobody else, and are told at the end.
    strangers: Vec<Stranger>,
}

impl Session {
    /// Opens the project for a verb that writes to the store, and musters the accounts it is about.
    pub async fn begin(common: &Common, verb: &str, terminal: Arc<Terminal>) -> Result<Self, Failure> {
        let (config, lines) = read(common)?;
        let stop = stop_on_signals();
        let project = open(common, verb).await?;
        let mut engine = registry::engine(&config, common.dry_run, Arc::clone(&terminal) as _, stop).await?;
        rename_tenant(&config, &engine, &project).await?;
        engine.recognise(&project).await?;
        let (movers, strangers) = movers(&engine, &project, &lines).await?;
        strangers.iter().for_each(|stranger| terminal.tell("unknown", stranger));
        engine.people = Arc::new(people(&project, &read_accounts(&common.project.join(ACCOUNTS))?).await?);
        engine.proven = Arc::new(project.proofs().await?);
        if verb != CHECK {
            engine.bind(&project).await?;
        }
        Ok(Self { project, engine, movers, config, strangers })
    }

    /// How many lines of accounts.csv were left out, since the tenant does not know who stands there.
    pub const fn unknown(&self) -> usize {
        self.strangers.len()
    }

    /// Those whom the tenant does not know, for a verb that tells them itself.
    pub fn take_strangers(&mut self) -> Vec<Stranger> {
        std::mem::take(&mut self.strangers)
    }

    /// Writes down how it ended. Who is unknown to the tenant was left out, whatever became of the others.
    pub async fn end(self, exit: Exit) -> Result<Exit, Failure> {
        let exit = match exit {
            Exit::Done if !self.strangers.is_empty() => Exit::Owing,
            exit => exit,
        };
        if !self.strangers.is_empty() {
            complain(&strangers::told(&self.strangers));
        }
        let word = match exit {
            Exit::Done => "done",
            Exit::Owing => "owed",
            Exit::Differing => "differing",
            Exit::Interrupted => "interrupted",
            Exit::Stuck | Exit::Usage | Exit::Locked => "stuck",
        };
        self.project.end_run(word).await?;
        Ok(exit)
    }
}

/// A project that was tied to its tenant by a domain, before anybody knew the GUID, is tied to the GUID: both name the
/// same one as long as the configuration names that domain.
async fn rename_tenant(config: &Config, engine: &Engine, project: &Project) -> Result<(), Fault> {
    let SourceConfig::Graph(graph) = &config.source;
    let learned = engine.source.identity();
    let named = Identity { connector: learned.connector.clone(), place: graph.tenant.trim().to_lowercase() };
    for workload in engine.workloads() {
        if named != *learned && project.bound(Side::Source, workload).await?.as_ref() == Some(&named) {
            project.rename(Side::Source, workload, &named, learned).await?;
        }
    }
    Ok(())
}

/// The configuration, and the lines of accounts.csv that the command line selects.
pub fn read(common: &Common) -> Result<(Config, Vec<AccountLine>), Failure> {
    let config = configuration(common)?;
    let lines = read_accounts(&common.project.join(ACCOUNTS))?;
    Ok((config, select(lines, common)?))
}

/// The configuration, without the workloads that the command line leaves out.
pub fn configuration(common: &Common) -> Result<Config, Failure> {
    let mut config = Config::load(&common.project)?;
    if let Some(missing) = common.only.iter().find(|workload| config.target.of(**workload).is_none()) {
        return Err(Failure::usage(format!(
            "--only {missing}: no [target.{missing}] stands in {FILE}\nAdd it, or leave {missing} out."
        )));
    }
    config.target.keep_only(&common.only);
    Ok(config)
}

/// The addresses at the target of everyone who moves, by each of their addresses at the source: who is no address at the
/// target keeps the one they are known by.
async fn people(project: &Project, everyone: &[AccountLine]) -> Result<BTreeMap<String, String>, Failure> {
    let mut people = BTreeMap::new();
    for row in all_rows(project).await? {
        let known_by = || std::iter::once(&row.account.address).chain(&row.account.aliases);
        let names = |line: &&AccountLine| known_by().any(|address| address.eq_ignore_ascii_case(&line.source));
        let Some(line) = everyone.iter().find(names) else { continue };
        let address = if line.target.contains('@') { line.target.as_str() } else { row.account.address.as_str() };
        let known_by = known_by();
        people.extend(known_by.map(|source| (source.trim().to_lowercase(), address.to_owned())));
    }
    Ok(people)
}

fn select(lines: Vec<AccountLine>, common: &Common) -> Result<Vec<AccountLine>, Failure> {
    if let Some(wanted) = common.accounts.iter().find(|wanted| !lines.iter().any(|line| names(line, wanted))) {
        return Err(nobody(wanted));
    }
    if let Some(wave) = common.wave.as_ref().filter(|wave| !lines.iter().any(|line| line.wave == **wave)) {
        return Err(no_wave(wave));
    }
    Ok(lines.into_iter().filter(|line| is_chosen(line, common)).collect())
}

pub fn nobody(wanted: &str) -> Failure {
    Failure::usage(format!("{wanted} does not stand in {ACCOUNTS}\nAdd a line for it, or correct --account."))
}

pub fn no_wave(wave: &str) -> Failure {
    Failure::usage(format!("no account in {ACCOUNTS} is in wave {wave}\nCorrect --wave, or fill in the column wave."))
}

pub fn is_chosen(line: &AccountLine, common: &Common) -> bool {
    common.wave.as_ref().is_none_or(|wave| line.wave == *wave)
        && (common.accounts.is_empty() || common.accounts.iter().any(|wanted| names(line, wanted)))
}

pub fn names(line: &AccountLine, wanted: &str) -> bool {
    line.source.eq_ignore_ascii_case(wanted) || line.target == wanted
}

pub async fn open(common: &Common, verb: &str) -> Result<Project, Failure> {
    let opening = Opening::Running { verb: verb.into() };
    Ok(Project::open(&common.project, opening, StoreOptions::default()).await?)
}

/// The accounts that move, and those whom the tenant does not know. Discovery is made only if somebody is unknown; where
/// everybody is, there is nothing to begin with.
async fn movers(
    engine: &Engine,
    project: &Project,
    lines: &[AccountLine],
) -> Result<(Vec<Mover>, Vec<Stranger>), Failure> {
    if lines.is_empty() {
        return Err(Failure::usage(format!(
            "{ACCOUNTS} names no account\nRun `transhume survey --write-accounts` to fill it from the tenant."
        )));
    }
    let wish =
        |line: &AccountLine| Wish { source: line.source.clone(), target: line.target.clone(), wave: line.wave.clone() };
    let wishes: Vec<_> = lines.iter().map(wish).collect();
    let (mut known, mut unknown) = muster(project, &wishes).await?;
    if !unknown.is_empty() {
        discover(&*engine.source, project, &*engine.observer, &engine.stop).await?;
        (known, unknown) = muster(project, &wishes).await?;
    }
    let unknown: BTreeSet<String> = unknown.into_iter().collect();
    let (unknown, found): (Vec<_>, Vec<_>) = lines.iter().cloned().partition(|line| unknown.contains(&line.source));
    let strangers: Vec<_> = unknown.into_iter().map(Stranger::from).collect();
    if found.is_empty() {
        return Err(Failure::usage(strangers::told(&strangers)));
    }
    apart(&known, &found)?;
    Ok((known, strangers))
}

/// Two addresses of one account would move it twice. There is a mover for each of these lines.
fn apart(known: &[Mover], lines: &[AccountLine]) -> Result<(), Failure> {
    let mut lines_of = BTreeMap::new();
    for (mover, line) in known.iter().zip(lines) {
        if let Some(first) = lines_of.insert(&mover.row.account.id, line.line) {
            return Err(Failure::usage(format!(
                "{ACCOUNTS}, line {}: {} is another address of the account on line {first}\nRemove one of the two lines.",
                line.line, line.source
            )));
        }
    }
    Ok(())
}

/// SIGINT and SIGTERM settle what is in flight; a second one ends at once, which is safe too.
pub fn stop_on_signals() -> Stop {
    let stop = Stop::default();
    let asked = stop.clone();
    tokio::spawn(async move {
        signal().await;
        asked.ask();
        complain("stopping: what is in flight settles first; interrupt again to stop at once");
        signal().await;
        super::exit::at_once();
    });
    stop
}

/// Waits for either signal; without signals there is nothing to wait for.
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => if interrupt.is_err() { std::future::pending::<()>().await },
        _ = terminate.recv() => {}
    }
}

/// Every account of a project, as the store knows them.
pub async fn all_rows(project: &Project) -> Result<Vec<AccountRow>, Failure> {
    let mut rows: Vec<AccountRow> = Vec::new();
    loop {
        let page = project.accounts(None, rows.last(), PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// Whether the command line means an account that the store knows: any that was given a target, where none is named.
pub fn is_meant(row: &AccountRow, common: &Common) -> bool {
    let is_named = |wanted: &String| {
        row.account.address.eq_ignore_ascii_case(wanted)
            || row.target.as_ref().is_some_and(|target| target.as_str() == wanted)
    };
    let named = match common.accounts.as_slice() {
        [] => row.target.is_some(),
        wanted => wanted.iter().any(is_named),
    };
    named && common.wave.as_ref().is_none_or(|wave| row.wave.as_ref() == Some(wave))
}
