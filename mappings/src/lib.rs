//! transhume's pure conversions and the meaning of their results.
//!
//! [`render`] makes standard forms from originals: RFC 5322 from a MIME or JSON original, IMAP flags and keywords from
//! facts, Sieve from mailbox rules, iCalendar from events and tasks, vCard from contacts. [`meaning`] reads originals and standard forms into comparable values, and shares
//! no code with `render`, so that one error cannot hide in both. Nothing here opens a file, a socket or a clock: bytes
//! come from [`Parts`] and go to a `Write` handed in, and equal input gives equal output.

mod edition;
mod loss;
pub mod meaning;
mod original;
mod profile;
pub mod render;
mod setting;
mod tables;

pub use edition::{CALENDAR_EDITION, CONTACTS_EDITION, EDITION, TASKS_EDITION};
pub use loss::{Loss, Rendered, RenderedObject, Unmappable, Unrendered};
pub use original::{PartInfo, Parts};
pub use profile::{CalendarProfile, ContactProfile, MailProfile, Scheduling, VCardForm};
pub use setting::CalendarSetting;
pub use tables::{TableError, Tables, WellKnown};
