//! [`Contents`]: the content of uploaded files, beside git, each under its hash: no name from outside
//! becomes a path.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::disk::Disk;
use crate::listing::{list, name_of};
use crate::{Action, Sha256Hex, StoreError};

/// How the names of files that are not complete yet start.
const INCOMING: &str = "incoming-";

/// The folder `pony/artifacts` of a results repository.
#[derive(Debug, Clone)]
pub struct Contents {
    folder: PathBuf,
}

impl Contents {
    /// Of the results repository in this folder. It need not exist yet.
    pub fn of(repository: &Path) -> Self {
        Self { folder: repository.join("pony").join("artifacts") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Creates the folder, and removes what a crash left in it. Only for the holder of the write lock.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn prepare(&self) -> Result<(), StoreError> {
        crate::create_folder(&self.folder)?;
        for path in list(&self.folder).map_err(StoreError::io(Action::Read, &self.folder))? {
            if name_of(&path).starts_with(INCOMING) {
                fs::remove_file(&path).map_err(StoreError::io(Action::Remove, &path))?;
            }
        }
        Ok(())
    }

    /// Where content is, whether or not it is there. Records in git may be pushed by others; that they
    /// cannot lead elsewhere is what the type is for.
    pub fn path_of(&self, sha256: &Sha256Hex) -> PathBuf {
        self.folder.join(&sha256.as_str()[..2]).join(sha256.as_str())
    }

    /// A file to write content to. Dropping it removes it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn incoming(&self) -> Result<NamedTempFile, StoreError> {
        let file = tempfile::Builder::new().prefix(INCOMING).tempfile_in(&self.folder);
        file.map_err(StoreError::io(Action::CreateIn, &self.folder))
    }

    /// Puts content in its place, and makes it and its names durable. Also when it is there already: whoever
    /// put it there may not have got so far, and the disk may not have kept it.
    ///
    /// # Errors
    /// [`StoreError::DiskLost`] when a sync fails: nothing may be acknowledged after that.
    pub fn keep(&self, file: NamedTempFile, sha256: &Sha256Hex) -> Result<(), StoreError> {
        self.keep_on(&mut Disk::default(), file, sha256)
    }

    /// Stores all that `from` holds. Returns its size in bytes and its hash.
    ///
    /// # Errors
    /// When it cannot be read or stored.
    pub fn store(&self, from: &mut dyn Read) -> Result<(u64, Sha256Hex), StoreError> {
        crate::create_folder(&self.folder)?;
        let mut file = self.incoming()?;
        let (size, sha256) =
            copy(from, &mut file).map_err(StoreError::io(Action::Write, file.path()))?;
        self.keep(file, &sha256)?;
        Ok((size, sha256))
    }

    /// The hashes of all content.
    pub(crate) fn all(&self) -> Result<Vec<Sha256Hex>, StoreError> {
        let mut found = Vec::new();
        for shard in entries(&self.folder)? {
            if shard.is_dir() {
                for path in entries(&shard)? {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    found.extend(
                        Sha256Hex::try_from(name).ok().filter(|hash| self.path_of(hash) == path),
                    );
                }
            }
        }
        Ok(found)
    }

    /// Whether content is there, and what it should be.
    pub(crate) fn is_sound(&self, sha256: &Sha256Hex) -> Result<bool, StoreError> {
        let path = self.path_of(sha256);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(StoreError::io(Action::Open, &path))?,
        };
        let read = copy(&mut file, &mut io::sink()).map_err(StoreError::io(Action::Read, &path))?;
        Ok(read.1 == *sha256)
    }

    fn keep_on(
        &self,
        disk: &mut Disk,
        file: NamedTempFile,
        sha256: &Sha256Hex,
    ) -> Result<(), StoreError> {
        let path = self.path_of(sha256);
        disk.sync(file.as_file(), file.path())?;
        let shard = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(shard).map_err(StoreError::io(Action::Create, shard))?;
        file.persist(&path).map_err(|error| StoreError::io(Action::Create, &path)(error.error))?;
        disk.sync_folder(shard)?;
        disk.sync_folder(&self.folder)
    }
}

/// Empty when there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        entries => entries.map_err(StoreError::io(Action::Read, folder)),
    }
}

/// Copies everything, and says how much it was.
fn copy(from: &mut dyn Read, to: &mut dyn io::Write) -> io::Result<(u64, Sha256Hex)> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..length]);
        to.write_all(&buffer[..length])?;
        size += length as u64;
    }
    to.flush()?;
    Ok((size, Sha256Hex::from(<[u8; 32]>::from(hash.finalize()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_content_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let contents = Contents::of(folder.path());
        let stored = [0, 1].map(|_| contents.store(&mut &b"barn"[..]).unwrap());
        assert_eq!(stored[0], stored[1]);
        assert_eq!(stored[0].0, 4);
        assert_eq!(fs::read(contents.path_of(&stored[0].1)).unwrap(), b"barn");
        assert_eq!(contents.all().unwrap(), [stored[0].1.clone()]);
        assert!(contents.is_sound(&stored[0].1).unwrap());
        fs::write(contents.path_of(&stored[0].1), "bran").unwrap();
        assert!(!contents.is_sound(&stored[0].1).unwrap());
        assert!(!contents.is_sound(&Sha256Hex::from([0; 32])).unwrap());
    }

    #[test]
    fn leftovers_of_a_crash_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let contents = Contents::of(folder.path());
        contents.prepare().unwrap();
        fs::write(contents.folder().join("incoming-x"), "").unwrap();
        contents.prepare().unwrap();
        assert_eq!(fs::read_dir(contents.folder()).unwrap().count(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_failed_sync_is_not_forgotten_when_the_same_content_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let contents = Contents::of(folder.path());
        contents.prepare().unwrap();
        let mut disk = Disk::default();
        crate::disk::tests::lose(&mut disk);
        for _ in 0..2 {
            let kept =
                contents.keep_on(&mut disk, contents.incoming().unwrap(), &[0xab; 32].into());
            assert!(matches!(kept, Err(StoreError::DiskLost { .. })), "{kept:?}");
        }
    }
}
