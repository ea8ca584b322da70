//! transhume moves whole organisations out of Microsoft 365 and Google Workspace: a source connector pulls into a
//! neutral store on the organisation's own disk, target connectors push from there, and a verification pass proves
//! that nothing was lost. The binary is `main.rs`; the rooms are described in the README, "Design".

pub mod cli;
pub mod config;
pub mod engine;
mod registry;
mod report;
pub mod store;
