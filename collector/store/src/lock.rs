//! [`WriteLock`]: one writer per repository, and what a dead one left behind.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::{Action, StoreError, recovery};

/// The file that is locked, in the git folder. It stays; the lock on it goes with the process.
pub(crate) const LOCK_FILE: &str = "pony.lock";

/// How long a lock is looked at again.
const POLL: Duration = Duration::from_millis(20);

/// Holds the write lock until dropped.
#[derive(Debug)]
pub(crate) struct WriteLock {
    file: File,
    git_dir: PathBuf,
}

impl WriteLock {
    /// Takes the lock, and clears what a writer that died left behind.
    pub(crate) fn take(git_dir: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = git_dir.join(LOCK_FILE);
        let mut disk = Disk::default();
        let mut file = open(&path, git_dir, &mut disk)?;
        wait_for(&file, &path, git_dir, patience)?;
        // A writer that ends in an orderly way empties the file.
        let is_orphaned = !holder(&path).is_empty();
        recovery::tidy(git_dir, is_orphaned)?;
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(StoreError::io(Action::Write, &path))?;
        // Or after a power cut nobody would know whose the lock of the branch is.
        disk.sync(&file, &path)?;
        Ok(Self { file, git_dir: git_dir.to_owned() })
    }
}

/// Opens the lock file. It is made with the repository, but a clone has none.
fn open(path: &Path, git_dir: &Path, disk: &mut Disk) -> Result<File, StoreError> {
    let mut options = File::options();
    options.read(true).write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map_err(StoreError::io(Action::Open, path)),
    }
    let file = options.create(true).truncate(false).open(path);
    let file = file.map_err(StoreError::io(Action::Open, path))?;
    disk.sync_folder(git_dir)?;
    Ok(file)
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        // A lock of ours that could not be removed: the next writer has to take it for a dead one's.
        if !recovery::is_locked(&self.git_dir) {
            // If this fails, the next writer is merely more careful.
            let _ = self.file.set_len(0);
        }
        // Closing the file is not enough: a child process that is just being started by another thread
        // still has it open until its program begins, and the lock with it.
        let _ = self.file.unlock();
    }
}

fn wait_for(
    file: &File,
    path: &Path,
    git_dir: &Path,
    patience: Duration,
) -> Result<(), StoreError> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::io(Action::Lock, path)(error));
            }
            Err(TryLockError::WouldBlock) if start.elapsed() >= patience => {
                let holder = match holder(path) {
                    text if text.is_empty() => "unknown".to_owned(),
                    text => text,
                };
                return Err(StoreError::Locked { path: git_dir.to_owned(), holder });
            }
            Err(TryLockError::WouldBlock) => {
                thread::sleep(POLL.min(patience.saturating_sub(start.elapsed())));
            }
        }
    }
}

/// The process id in the lock file; empty when there is none, or it cannot be read.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(20).read_to_string(&mut text));
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if read.is_ok() && is_number { text } else { String::new() }
}
