//! [`Disk`]: what makes a write durable. gix never syncs anything, so every sync is here.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::{Action, StoreError};

/// Syncs files and folders, and refuses everything after the first sync that failed.
///
/// A failed sync is never tried again: the system may have dropped the pages that it could not
/// write, and would then report success although they are lost.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    has_failed: bool,
}

impl Disk {
    /// Refuses once a sync has failed.
    pub(crate) fn check(&self, path: &Path) -> Result<(), StoreError> {
        if !self.has_failed {
            return Ok(());
        }
        let reason = "an earlier write did not reach the disk: check the disk, then start again";
        Err(StoreError::io(Action::Write, path)(io::Error::other(reason)))
    }

    /// Writes a new file, or replaces an old one in place, and syncs it.
    pub(crate) fn write(&mut self, path: &Path, content: &[u8]) -> Result<(), StoreError> {
        let mut file = File::create(path).map_err(StoreError::io(Action::Create, path))?;
        file.write_all(content).map_err(StoreError::io(Action::Write, path))?;
        self.sync(&file, path)
    }

    /// Waits until the content of a file is on disk.
    pub(crate) fn sync(&mut self, file: &File, path: &Path) -> Result<(), StoreError> {
        self.check(path)?;
        file.sync_all().map_err(|error| {
            self.has_failed = true;
            StoreError::io(Action::Sync, path)(error)
        })
    }

    /// Waits until the names in a folder are on disk.
    pub(crate) fn sync_folder(&mut self, path: &Path) -> Result<(), StoreError> {
        if cfg!(windows) {
            // Folders cannot be opened there; NTFS journals names itself.
            return self.check(path);
        }
        let folder = File::open(path).map_err(StoreError::io(Action::Open, path))?;
        self.sync(&folder, path)
    }

    /// Waits until everything in a folder is on disk. Symbolic links are not followed.
    pub(crate) fn sync_all_in(&mut self, path: &Path) -> Result<(), StoreError> {
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in
                std::fs::read_dir(&folder).map_err(StoreError::io(Action::Read, &folder))?
            {
                let entry = entry.map_err(StoreError::io(Action::Read, &folder))?;
                let path = entry.path();
                let kind = entry.file_type().map_err(StoreError::io(Action::Read, &path))?;
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    // Windows syncs only what is open for writing.
                    let file = File::options().write(true).open(&path);
                    self.sync(&file.map_err(StoreError::io(Action::Open, &path))?, &path)?;
                }
            }
            self.sync_folder(&folder)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn nothing_is_written_after_a_failed_sync() {
        let mut disk = Disk::default();
        // A pipe cannot be synced.
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(writer));
        assert!(disk.sync(&pipe, Path::new("pipe")).is_err());
        let folder = tempfile::tempdir().unwrap();
        assert!(disk.sync_folder(folder.path()).is_err());
        let error = disk.check(folder.path()).unwrap_err();
        let StoreError::Io { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains("did not reach the disk"));
    }
}
