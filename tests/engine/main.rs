//! The engine between in-memory connectors: passes, deltas, people at the target, chaos, and death at every commit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod amending;
mod anew;
mod apart;
mod crash;
mod doubled;
mod existing;
mod in_place;
mod kept;
mod left;
mod left_out;
mod mistyped;
mod moving;
mod order;
mod passes;
mod people;
mod proof;
mod put_off;
mod renamed;
mod told;
mod trees;
mod unnamed;
mod vanished;
mod versions;
mod wires;
mod world;
