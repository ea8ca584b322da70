//! Microsoft To Do: lists, delta listings, originals with checklists, links and attachments.

pub mod lists;
pub mod original;
pub mod rows;
