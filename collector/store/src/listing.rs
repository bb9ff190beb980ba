//! [`list`]: what is in a folder.

use std::fs::{self, DirEntry};
use std::io;
use std::panic::catch_unwind;
use std::path::Path;

/// What is in a folder, in no order. To be used by whatever runs in a collector: the standard library panics when the
/// system reports an error while a folder is closed.
///
/// # Errors
/// When the folder cannot be read, or not be closed.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<DirEntry>> {
    catch_unwind(|| fs::read_dir(folder)?.collect())
        .unwrap_or_else(|_| Err(io::Error::other("the folder cannot be closed")))
}
