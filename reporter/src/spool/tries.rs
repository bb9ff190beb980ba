//! [`Tries`]: the keys under which a submission was pushed, for as long as nobody knows whether it arrived.
//!
//! A file beside the entry, with one key on each line. A try is on disk before it is made.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use pony_formats::ResultKey;

/// Keys of one submission.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    keys: Vec<ResultKey>,
    /// `None` for a submission that is not in the spool.
    path: Option<PathBuf>,
}

impl Tries {
    /// None yet; they are to be noted in this file.
    pub(super) fn of_new(path: PathBuf) -> Self {
        Self { keys: Vec::new(), path: Some(path) }
    }

    /// What is noted in a file. Lines that are no keys say nothing.
    pub(super) fn read(path: PathBuf) -> io::Result<Self> {
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let keys = text.lines().filter_map(|line| line.parse().ok()).collect();
        Ok(Self { keys, path: Some(path) })
    }

    /// The keys, the oldest first.
    pub(crate) fn keys(&self) -> &[ResultKey] {
        &self.keys
    }

    /// Takes note of a try, for good.
    pub(crate) fn note(&mut self, key: ResultKey) -> io::Result<()> {
        if self.keys.contains(&key) {
            return Ok(());
        }
        self.keys.push(key);
        let Some(path) = &self.path else { return Ok(()) };
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // On a line of its own, even if the last one was not written to its end.
        file.write_all(format!("\n{key}\n").as_bytes()).and_then(|()| file.sync_all())?;
        // The first one also has a name that must last.
        let folder = path.parent().filter(|_| cfg!(unix) && self.keys.len() == 1);
        folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn tries_are_read_back_whatever_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1-x.tries");
        let key = |salt| ResultKey::new(Timestamp::from_second(1_800_000_000).unwrap(), salt);
        let read = || Tries::read(path.clone()).unwrap().keys;
        let mut tries = Tries::read(path.clone()).unwrap();
        assert!(tries.keys().is_empty());
        tries.note(key(1)).unwrap();
        tries.note(key(1)).unwrap();
        assert_eq!(read(), [key(1)]);
        fs::write(&path, format!("{}\n17\n{}", key(3), &key(4).to_string()[..5])).unwrap();
        assert_eq!(read(), [key(3)], "half a line was not acted upon");
        tries.note(key(5)).unwrap();
        assert_eq!(read(), [key(3), key(5)]);
    }
}
