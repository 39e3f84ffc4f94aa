//! File locks that another holder is about to release.

use std::fs::{File, TryLockError};
use std::thread;
use std::time::Duration;

/// How often a lock is tried before it counts as held by someone who stays.
const TRIES: u32 = 100;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// Locks `file`, if need be after waiting a second for one who is just going: a process that ends, a database that is
/// being closed, or the moment between fork and exec, when a child shares its parent's locks.
pub(super) fn acquire(file: &File) -> Result<(), TryLockError> {
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    file.try_lock()
}
