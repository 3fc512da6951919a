//! Locking that survives a failed assertion of another test thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; a poisoned lock is still good, because every change under it is a complete one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
