//! In-memory reference connectors.
