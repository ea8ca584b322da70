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
mod downloads;
mod drive;
mod drive_delta;
mod drives;
mod event_changes;
mod event_series;
mod events;
mod faults;
mod file_changes;
mod file_parts;
mod folders;
mod hostile;
mod hostile_drive;
mod messages;
mod mutate;
mod office;
mod pace;
mod sites;
mod todo;
mod units;
