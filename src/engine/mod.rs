//! What moves, in which order, and what a fault means for the rest. The engine knows the contract and the store, and no
//! provider, no format, no SQL.

mod event;
mod policy;
mod ports;
mod stop;

pub use event::{Event, Observer, Phase, Silence};
pub use policy::{Policy, Standing, standing};
pub use ports::{Handover, Meaning, Original, Render, Rendered};
pub use stop::Stop;
