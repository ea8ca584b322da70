//! Simulated services: stateful stand-ins for Microsoft 365 that refuse what the service refuses

pub mod dump;
pub mod seed;
