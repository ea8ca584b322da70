//! The real program, the simulated tenant and real servers: killed, cut off, refused, and in the end compared.
//!
//! `TRANSHUME_TORTURE_KILLS` is the number of SIGKILLs shared out among the servers (10 unless told otherwise);
//! `TRANSHUME_TORTURE_SEED` repeats the moments of a run that failed: every failure prints its seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod faults;
mod groupware;
mod hostile;
mod kills;
mod limits;
mod moves;
mod people;
mod place;
mod project;
mod refusals;
mod regenerated;
mod stage;
mod standing;
