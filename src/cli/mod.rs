//! The command line: arguments in, a verb carried out, an exit code out.

mod args;
mod check;
mod demo;
mod exit;
mod explain;
mod handover;
mod init;
mod items;
mod moving;
mod plan;
mod roll;
mod session;
mod simulate;
mod status;
mod strangers;
mod survey;
mod terminal;
mod verify;

use args::{Arguments, Verb};
use exit::{Exit, Failure};
use std::{io::IsTerminal, process::ExitCode};
use terminal::Terminal;
use tracing_subscriber::EnvFilter;

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(refusal) => {
            let _terminal_may_be_gone = refusal.print();
            return if refusal.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    log(arguments.manner.verbose);
    let outcome = tokio::runtime::Runtime::new().map_err(Failure::from).and_then(|runtime| {
        let outcome = runtime.block_on(carry_out(arguments));
        // What still runs in the background (a body being read ahead) is of no consequence any more.
        runtime.shutdown_background();
        outcome
    });
    outcome
        .unwrap_or_else(|failure| {
            if !failure.sentence.is_empty() {
                terminal::complain(&failure.sentence);
            }
            failure.exit
        })
        .into()
}

/// Requests and their ids at `-vv`; never a secret, a body or a whole id.
fn log(verbose: u8) {
    let level = match verbose {
        0 | 1 => "off",
        2 => "transhume=debug",
        _ => "transhume=trace",
    };
    let filter = EnvFilter::try_from_env("TRANSHUME_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = std::io::stderr().is_terminal() && !plain;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    // Refused only where a test has set one already.
    let _already_set = subscriber.try_init();
}

async fn carry_out(arguments: Arguments) -> Result<Exit, Failure> {
    let common = arguments.common();
    let terminal = std::sync::Arc::new(Terminal::new(&common));
    match arguments.verb {
        Verb::Init(init) => init::run(&common, &init, &terminal).await,
        Verb::Check(check) => check::run(&common, check.canary, check.trap.as_deref(), terminal).await,
        Verb::Survey(survey) => survey::run(&common, &survey, terminal).await,
        Verb::Plan(plan) => plan::run(&common, &plan, terminal).await,
        Verb::Pull(pull) => moving::run(&common, moving::What::Pull, pull.again, terminal).await,
        Verb::Push(push) => {
            let what = moving::What::Push { repair: push.repair, rerender: push.rerender };
            moving::run(&common, what, push.again, terminal).await
        }
        Verb::Run(run) => moving::run(&common, moving::What::Both, run.again, terminal).await,
        Verb::Verify(verify) => verify::run(&common, &verify, terminal).await,
        Verb::Status(status) => status::run(&common, &status, &terminal).await,
        Verb::Explain(explain) => explain::run(&common, &explain, &terminal).await,
        Verb::Demo(demo) => demo::run(&common, &demo, terminal).await,
        Verb::Simulate(simulate) => simulate::run(&simulate, &terminal).await,
    }
}
