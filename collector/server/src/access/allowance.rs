//! [`Allowance`]: how much may be stored for people whom nobody knows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::refresher::full;

/// What is noted as stored before it is, in bytes, so that not each submission has to be noted. A collector that
/// is killed counts up to so much too much.
const PORTION: u64 = 16 * 1024 * 1024;

/// Counts the bytes that strangers have stored, also over a restart.
pub(crate) struct Allowance {
    max: u64,
    file: PathBuf,
    count: Mutex<Count>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    stored: u64,
    noted: u64,
}

impl Allowance {
    /// At most `max` bytes, counted in `file`.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no number.
    pub(crate) fn open(file: &Path, max: u64) -> io::Result<Self> {
        let stored = match fs::read_to_string(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            read => read?.trim().parse().map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "not a number of bytes; delete it to count from zero",
                )
            })?,
        };
        let count = Mutex::new(Count { stored, noted: stored });
        Ok(Self { max, file: file.to_owned(), count })
    }

    /// Counts what is about to be stored. `false` when it would be more than is allowed.
    pub(crate) fn spend(&self, bytes: u64) -> bool {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = count.stored.saturating_add(bytes);
        if stored > self.max {
            return false;
        }
        count.stored = stored;
        if stored > count.noted {
            count.noted = stored.saturating_add(PORTION);
            self.note(count.noted);
        }
        true
    }

    /// Notes exactly what was stored.
    pub(crate) fn finish(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.noted != count.stored {
            count.noted = count.stored;
            self.note(count.noted);
        }
    }

    /// Not synced: a power cut may cost a portion of the count, no result.
    fn note(&self, bytes: u64) {
        let write = || {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            let temporary = tempfile::NamedTempFile::new_in(folder)?;
            fs::write(temporary.path(), format!("{bytes}\n"))?;
            temporary.persist(&self.file)?;
            Ok::<(), io::Error>(())
        };
        if let Err(error) = write() {
            tracing::warn!(error = full(&error), "cannot note what strangers have stored");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_used_up_and_stays_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("strangers");
        let allowance = Allowance::open(&file, 10).unwrap();
        assert!(allowance.spend(6));
        assert!(!allowance.spend(5));
        assert!(allowance.spend(4));
        assert!(!allowance.spend(1));
        allowance.finish();
        assert_eq!(fs::read_to_string(&file).unwrap(), "10\n");
        assert!(!Allowance::open(&file, 10).unwrap().spend(1));
        assert!(Allowance::open(&file, 11).unwrap().spend(1));
    }

    #[test]
    fn one_that_is_killed_counts_too_much_rather_than_too_little() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("strangers");
        assert!(Allowance::open(&file, 2 * PORTION).unwrap().spend(1));
        let next = Allowance::open(&file, 2 * PORTION).unwrap();
        assert!(!next.spend(PORTION));
        assert!(next.spend(PORTION - 1));
    }

    #[test]
    fn a_count_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("strangers");
        fs::write(&file, "many").unwrap();
        assert!(Allowance::open(&file, 1).err().unwrap().to_string().contains("delete it"));
    }
}
