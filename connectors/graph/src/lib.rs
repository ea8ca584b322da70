//! Microsoft Graph as a source of transhume: one Microsoft 365 tenant, read as one registered application.
//!
//! [`GraphSource`] discovers accounts, lists mail, contacts and tasks by delta of each collection with immutable ids,
//! and gives each message as the MIME that Exchange makes of it, everything else as the service's own JSON. An event
//! series is one item with its exceptions and cancelled days. What the service does differently from its documentation is told in `QUIRKS.md`,
//! what its error codes mean in `faults`.

mod account;
mod attached;
mod calendar;
mod check;
mod config;
mod contacts;
mod endpoint;
mod faults;
mod json;
mod listing;
mod mail;
mod mime_end;
mod reach;
mod rescue;
mod service;
mod source;
mod tasks;
mod tenant;
mod usage;
mod wire;

pub use config::{CLOUDS, Cloud, GraphConfig, device_sign_in};
pub use source::GraphSource;
pub use transhume_http::{Certificate, DevicePrompt, DeviceSignIn, Patience, Proof, Signature, Window};
