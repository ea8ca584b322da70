//! Microsoft Graph as a source of transhume: one Microsoft 365 tenant, read as one registered application.
//!
//! [`GraphSource`] discovers accounts, lists mail by per-folder delta with immutable ids, and gives each message as the
//! MIME that Exchange makes of it. What the service does differently from its documentation is told in `QUIRKS.md`,
//! what its error codes mean in `faults`.

mod account;
mod check;
mod config;
mod endpoint;
mod faults;
mod json;
mod mail;
mod mime_end;
mod rescue;
mod service;
mod source;
mod tenant;
mod usage;
mod wire;

pub use config::{CLOUDS, Cloud, GraphConfig, device_sign_in};
pub use source::GraphSource;
pub use transhume_http::{Certificate, DevicePrompt, DeviceSignIn, Patience, Proof, Signature, Window};
