//! How what happens and what is known is told: progress while it runs, JSON events, sentences, tables and pages.

mod causes;
mod domain;
mod explained;
mod json;
mod losses;
mod progress;
mod refused;
mod standings;
mod table;
mod words;
mod wrap;

pub use causes::{named, said_once, subject, together};
pub use explained::{explained, standing};
pub use json::{JsonLines, Of};
pub use progress::{Manner, Progress, ask_person};
pub use refused::{fate, not_listed, refused_at_target, why};
pub use standings::{
    Manner as TableManner, Standing, accounts, named_losses, standings_notes, standings_table, standings_troubles,
};
pub use table::{Column, shorten, table};
pub use words::{and, bytes, collections, count, duration, fault_lines, grouped, moment, one_line};
pub use wrap::wrapped;
