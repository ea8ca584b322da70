//! The simulated Microsoft Graph, asked over HTTP as any client would ask it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod batch;
mod client;
mod delta;
mod directory;
mod faults;
mod folders;
mod messages;
mod mutate;
mod office;
mod pace;
