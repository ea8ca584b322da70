//! Outlook mail: folders, delta listings, originals, settings.

pub mod folders;
pub mod original;
pub mod pieces;
pub mod rows;
pub mod settings;
