//! Simulated services: stateful stand-ins for Microsoft 365 that refuse what the service refuses.
//!
//! [`Simulator::start`] serves a tenant [`dump::Dump`] on one port: sign-in, Microsoft Graph v1.0 and the control surface
//! under `/_sim/`. Pre-signed downloads come from a second port, hence a second origin. The crate knows nothing of the
//! connectors it stands opposite: it is written from what the services document and what tools met in the field.
//!
//! Rooms: `wire` turns sockets into calls and replies, `login` is Entra, `tenant` is the state,
//! `graph` reads the state as the service would show it, `pace`, `units` and `faults` make it difficult, `control` lets a
//! test change and question it. What Graph serves and the simulator does not answers 501 `NotSimulated`, so that nobody
//! takes silence for an empty answer.

pub mod dump;
pub mod seed;

mod control;
mod downloads;
mod faults;
mod gate;
mod graph;
mod login;
mod options;
mod pace;
mod simulator;
mod stats;
mod tenant;
mod tls;
mod units;
mod wire;
mod world;

pub use options::{
    Cloud, EventDelta, FileSwitches, HashTold, Knobs, LiedAbout, Lies, Limits, LockedSite, Malware, MimeCut, NoDrive,
    OccurrencesBy, Options, Ranges, Resync, Switches,
};
pub use simulator::{Running, Simulator, StartError};
pub use stats::Counts;
pub use tls::{SelfSigned, TlsError};
