//! The editions of the renderings, one per workload.

/// Raised whenever [`crate::render::mail`] or [`crate::render::mail_facts`] may answer differently for some original:
/// the store then renders again and pushes only what changed. A test holds the digest of all golden answers against
/// this number.
pub const EDITION: u32 = 2;

/// The same for [`crate::render::calendar`].
pub const CALENDAR_EDITION: u32 = 2;

/// The same for [`crate::render::contact`].
pub const CONTACTS_EDITION: u32 = 2;

/// The same for [`crate::render::task`].
pub const TASKS_EDITION: u32 = 1;
