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
    /// Whether a sync has failed: then everything is refused.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Refuses once a sync has failed.
    ///
    /// # Errors
    /// [`StoreError::DiskLost`].
    pub(crate) fn check(&self, path: &Path) -> Result<(), StoreError> {
        if self.has_failed { Err(StoreError::lost_earlier(path)) } else { Ok(()) }
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
        file.sync_all().map_err(|source| {
            self.has_failed = true;
            StoreError::DiskLost { path: path.to_owned(), source }
        })
    }

    /// Waits until the names in a folder are on disk.
    pub(crate) fn sync_folder(&mut self, path: &Path) -> Result<(), StoreError> {
        let folder = self.open_folder(path)?;
        self.sync_opened(folder.as_ref(), path)
    }

    /// Opens a folder for [`Disk::sync_opened`]: where nothing must fail any more but the sync itself.
    pub(crate) fn open_folder(&self, path: &Path) -> Result<Option<File>, StoreError> {
        if cfg!(windows) {
            // Folders cannot be opened there; NTFS journals names itself.
            return Ok(None);
        }
        File::open(path).map(Some).map_err(StoreError::io(Action::Open, path))
    }

    /// Waits until the names in an opened folder are on disk.
    pub(crate) fn sync_opened(
        &mut self,
        folder: Option<&File>,
        path: &Path,
    ) -> Result<(), StoreError> {
        match folder {
            Some(folder) => self.sync(folder, path),
            None => self.check(path),
        }
    }

    /// Creates a folder, and those above it, and waits until the name of each new one is on disk; that of the
    /// folder itself also when it is there, because whoever made it may have been killed before.
    pub(crate) fn create_folder(&mut self, path: &Path) -> Result<(), StoreError> {
        let above = path.ancestors().filter(|folder| !folder.as_os_str().is_empty());
        let missing = above.take_while(|folder| !folder.is_dir()).count().max(1);
        let folders: Vec<&Path> = path.ancestors().take(missing).collect();
        for folder in folders.into_iter().rev() {
            match std::fs::create_dir(folder) {
                // It was there, or somebody else was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
                created => created.map_err(StoreError::io(Action::Create, folder))?,
            }
            let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
            self.sync_folder(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(())
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

/// Creates a folder, and those above it, if they do not exist. All of them survive a power cut when this
/// returns.
///
/// # Errors
/// When a folder cannot be created, or its name does not reach the disk.
pub fn create_folder(path: &Path) -> Result<(), StoreError> {
    Disk::default().create_folder(path)
}

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod tests {
    use super::*;

    /// Has the disk fail a sync.
    pub(crate) fn lose(disk: &mut Disk) -> Option<StoreError> {
        // A pipe cannot be synced.
        let (_reader, writer) = io::pipe().ok()?;
        let pipe = File::from(std::os::fd::OwnedFd::from(writer));
        disk.sync(&pipe, Path::new("pipe")).err()
    }

    #[test]
    fn the_name_of_a_folder_is_synced_whoever_made_it() {
        let mut disk = Disk::default();
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        lose(&mut disk);
        for path in ["a/b/c", "a/b/d", "a/e/f"] {
            let error = disk.create_folder(&folder.path().join(path)).unwrap_err();
            assert!(matches!(error, StoreError::DiskLost { .. }), "{error}");
        }
        assert!(!folder.path().join("a/e/f").exists());
        std::fs::write(deep.join("file"), "x").unwrap();
        let error = create_folder(&deep.join("file")).unwrap_err();
        assert!(error.to_string().starts_with("cannot create `"), "{error}");
    }

    #[test]
    fn nothing_is_written_after_a_failed_sync() {
        let mut disk = Disk::default();
        let folder = tempfile::tempdir().unwrap();
        disk.sync_folder(folder.path()).unwrap();
        let is_lost = |error: StoreError| matches!(error, StoreError::DiskLost { .. });
        assert!(lose(&mut disk).is_some_and(is_lost));
        assert!(is_lost(disk.sync_folder(folder.path()).unwrap_err()));
        assert!(is_lost(disk.check(folder.path()).unwrap_err()));
    }
}
