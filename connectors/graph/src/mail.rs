//! Outlook mail: folders, delta listings, originals, settings.

pub mod cursor;
pub mod folders;
pub mod listing;
pub mod original;
pub mod pieces;
pub mod rows;
pub mod settings;
