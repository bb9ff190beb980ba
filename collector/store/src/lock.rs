//! [`WriteLock`]: one writer per repository, and what a dead one left behind.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::layout::BRANCH;
use crate::{Action, StoreError, pack};

/// The file that is locked, in the git folder. It stays; the lock on it goes with the process.
const LOCK_FILE: &str = "pony.lock";

/// How long a lock is looked at again.
const POLL: Duration = Duration::from_millis(20);

/// What git leaves lying about for longer than this is not in use.
const STALE: Duration = Duration::from_secs(60);

/// Holds the write lock until dropped.
#[derive(Debug)]
pub(crate) struct WriteLock {
    file: File,
}

impl WriteLock {
    /// Takes the lock, and clears what a writer that died left behind.
    pub(crate) fn take(git_dir: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = git_dir.join(LOCK_FILE);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(StoreError::io(Action::Open, &path))?;
        wait_for(&file, &path, git_dir, patience)?;
        // A writer that ends in an orderly way empties the file.
        let is_orphaned = !holder(&path).is_empty();
        remove_leftovers(git_dir, is_orphaned)?;
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(StoreError::io(Action::Write, &path))?;
        Ok(Self { file })
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        // If this fails, the next writer is merely more careful.
        let _ = self.file.set_len(0);
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

/// Removes what would block or clutter. Only what is surely nobody's: a push that is under way uses files
/// of the same kinds.
fn remove_leftovers(git_dir: &Path, is_orphaned: bool) -> Result<(), StoreError> {
    let packs = git_dir.join("objects/pack");
    let branch_lock = git_dir.join(format!("{BRANCH}.lock"));
    let mut leftovers: Vec<PathBuf> =
        pack::UNFINISHED.iter().map(|name| packs.join(name)).collect();
    if is_orphaned || is_stale(&branch_lock) {
        leftovers.push(branch_lock);
    }
    for entry in std::fs::read_dir(&packs).map_err(StoreError::io(Action::Read, &packs))? {
        let path = entry.map_err(StoreError::io(Action::Read, &packs))?.path();
        let is_pack = path.extension().is_some_and(|extension| extension == "pack");
        if is_pack && !path.with_extension("idx").exists() && is_stale(&path) {
            leftovers.push(path);
        }
    }
    for path in leftovers {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io(Action::Remove, &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a file was last written long ago, or in the future: then the clock was moved since.
fn is_stale(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    written.is_ok_and(|time| time.elapsed().map_or(true, |age| age > STALE))
}
