//! How fast the program is and how much memory it takes: the real binary against a simulated tenant and a real Dovecot,
//! Radicale, Xandikos and Cyrus, on data made on the spot. Every figure stands beside a rival or a limit measured in the same run, because machines
//! differ and ratios do not.
//!
//! `cargo bench` runs everything; `cargo bench -- push pull=500` runs these, with another number of messages. It fails
//! where a goal is missed. The goals are meant for a machine that does nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod bare;
mod dav;
mod memory;
mod project;
mod pull;
mod push;
mod status;
mod table;
mod tenants;
mod watched;

use std::process::ExitCode;

/// Its name, what it runs, and the number of messages, events, items or megabytes it is made for.
type Bench = (&'static str, fn(u32), u32);

const ALL: [Bench; 9] = [
    ("status", status::run, 1_000_000),
    ("push", push::run, 20_000),
    ("single", push::single, 4_000),
    ("pull", pull::run, 2_000),
    ("large", memory::large, 150),
    ("radicale", dav::radicale, 5_000),
    ("xandikos", dav::xandikos, 3_000),
    ("cyrus", dav::cyrus, 5_000),
    ("memory", memory::many, 200_000),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    for (name, run, usual) in ALL {
        let asked = wanted.iter().find(|word| word.split('=').next() == Some(name));
        if wanted.is_empty() || asked.is_some() {
            let number =
                asked.and_then(|word| word.split_once('=')).map_or(usual, |(_, n)| n.parse().expect("a number"));
            run(number);
        }
    }
    match table::missed() {
        0 => ExitCode::SUCCESS,
        missed => {
            println!("\n{missed} goals MISSED");
            ExitCode::FAILURE
        }
    }
}
