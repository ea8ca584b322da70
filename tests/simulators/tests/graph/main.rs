//! The simulated Microsoft Graph, asked over HTTP as any client would ask it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod batch;
mod calendars;
mod client;
mod contacts;
mod delta;
mod diary;
mod directory;
mod event_changes;
mod event_series;
mod events;
mod faults;
mod folders;
mod hostile;
mod messages;
mod mutate;
mod office;
mod pace;
mod todo;
