//! [`list`]: what is in a folder.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// The paths of what is in a folder, in no order. To be used by whatever runs in a collector: the standard library
/// panics when the system reports an error while a folder is closed, which is with the last of its entries.
///
/// # Errors
/// When the folder cannot be read, or not be closed.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    catch_unwind(|| fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect())
        .unwrap_or_else(|_| Err(io::Error::other("the folder cannot be closed")))
}

/// The name of what is at a path, to be compared with ours.
pub(crate) fn name_of(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}
