//! In-memory connectors: the reference of what the contract means, and the fast side of engine tests.

mod body;
mod sink;
mod source;
mod target;

pub use body::HeldBody;
pub use sink::{HeldOriginal, HeldPart};
pub use source::MemorySource;
pub use target::{Backup, MemoryTarget, Standing};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A poisoned lock here means a test already failed; its data is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
