//! How what happens and what is known is told: progress while it runs, JSON events, sentences, tables and pages.

mod json;
mod progress;
mod words;

pub use json::JsonLines;
pub use progress::{Manner, Progress, ask_person};
pub use words::{bytes, count, duration, fault_lines};
