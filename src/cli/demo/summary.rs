//! The last words of the demo, as a mayor would be shown them: per account what was moved, what is owed and why, how
//! fast it went, and where the mail now is.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    init::ACCOUNTS,
    moving::Moved,
    roll::Roll,
    session::all_rows,
    status::standings,
    terminal::Terminal,
};
use crate::{
    config::{Config, read_accounts},
    engine::AccountStanding,
    report::{Column, bytes, count, grouped, standings_notes, standings_troubles, table},
    store::{Opening, Project, StoreOptions},
};
use std::{path::Path, time::Duration};

/// What the passes of this demo did, and in which time.
#[derive(Clone, Copy, Default)]
pub struct Work {
    pub moved: Moved,
    /// Messages that the plan's sample had pulled before.
    pub sampled: u64,
    pub time: Duration,
}

pub async fn show(
    common: &Common,
    demo: &args::Demo,
    work: Work,
    verified: Exit,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let config = Config::load(&common.project)?;
    let lines = read_accounts(&common.project.join(ACCOUNTS))?;
    let project = Project::open(&common.project, Opening::Reading, StoreOptions::default()).await?;
    let roll = Roll::call(all_rows(&project).await?, &lines, common)?;
    let standings = standings(&project, &config, &roll.listed).await?;
    let all: Vec<_> = standings.iter().collect();
    terminal.show(&accounts(&all, &common.project, demo, terminal.width()));
    terminal.print(&standings_troubles(&all, None, None));
    terminal.show(&standings_notes(&all));
    terminal.show(&speed(work));
    terminal.show(&whereabouts(&common.project, demo));
    terminal.print(proof(verified));
    Ok(())
}

/// Of what stands at the source, each row says what became of it: the second number is the sum of the next four.
fn accounts(all: &[&AccountStanding], project: &Path, demo: &args::Demo, width: Option<usize>) -> String {
    let columns = [
        Column::Words("account"),
        Column::Number("at source"),
        Column::Number("moved"),
        Column::Number("owed"),
        Column::Number("quarantine"),
        Column::Number("kept"),
        Column::Number("size"),
        Column::Words("where the mail is now"),
    ];
    let line = |who: &str, of: &[&AccountStanding], place: String| {
        let sum = |figure: fn(&AccountStanding) -> u64| of.iter().map(|standing| figure(standing)).sum::<u64>();
        vec![
            who.to_owned(),
            grouped(sum(|standing| standing.listed.items)),
            grouped(sum(|standing| standing.done.items)),
            grouped(sum(|standing| standing.owed.items)),
            grouped(sum(AccountStanding::quarantine)),
            grouped(sum(|standing| standing.kept.items)),
            bytes(sum(|standing| standing.placed.bytes)),
            place,
        ]
    };
    let mut rows: Vec<_> =
        all.iter().map(|standing| line(&standing.account, &[standing], place(standing, project, demo))).collect();
    rows.push(line(&count(all.len() as u64, "account"), all, String::new()));
    table(&columns, rows, width)
}

fn place(standing: &AccountStanding, project: &Path, demo: &args::Demo) -> String {
    let login = standing.target.as_deref().unwrap_or_default();
    match demo.imap {
        Some(address) => format!("login {login} at {address}"),
        None => project.join("mail").join(login).display().to_string(),
    }
}

fn speed(work: Work) -> String {
    let Work { moved, sampled, time } = work;
    if moved.is_nothing() {
        return "Nothing moved: nothing is new at the source since the last demo.".into();
    }
    let seconds = time.as_secs_f64().max(0.001);
    let before = if sampled == 0 { String::new() } else { format!(" ({sampled} more for the plan's sample)") };
    format!(
        "{} pulled{before} and {} placed in {seconds:.1} s: {:.0} a second, {} a second.",
        count(moved.fetched, "message"),
        count(moved.placed, "message"),
        moved.placed as f64 / seconds,
        bytes((moved.placed_bytes as f64 / seconds) as u64),
    )
}

const fn proof(verified: Exit) -> &'static str {
    match verified {
        Exit::Done | Exit::Owing => {
            "Proof: every placed message was read back and compared byte for byte; nothing differs."
        }
        _ => "Proof: differences were found; they are told above.",
    }
}

fn whereabouts(project: &Path, demo: &args::Demo) -> String {
    let originals = format!("What Microsoft 365 sent is kept in {}.", project.join("accounts").display());
    match demo.imap {
        Some(_) => originals,
        None => format!(
            "{originals}\nThe mail lies in plain Maildirs: `mutt -R -f {}` reads one.",
            project.join("mail/ACCOUNT/Maildir").display()
        ),
    }
}
