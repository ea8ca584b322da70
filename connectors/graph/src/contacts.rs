//! Outlook contacts: folders, delta listings, originals with photos.

pub mod folders;
pub mod original;
pub mod rows;
