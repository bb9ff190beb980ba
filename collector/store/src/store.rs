//! [`Store`]: an opened results repository.

use std::path::Path;
use std::time::Duration;

use crate::{Snapshot, StoreError, Writer};

/// An opened results repository: a bare git repository in format 1.
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// Creates a bare repository with `README.md` and `format.json` in its first commit.
    ///
    /// # Errors
    /// When there is something at `path` already, or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        Self::open(path)
    }

    /// Opens a repository.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is nothing at `path`; a refusal when it is something else.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Err(StoreError::NotFound { path: path.to_owned() })
    }

    /// Opens a repository, or creates it when there is nothing at `path` (or an empty folder).
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::create`].
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        Self::open(path)
    }

    /// The folder of the bare repository.
    pub fn path(&self) -> &Path {
        Path::new("")
    }

    /// The newest commit, to read from.
    ///
    /// # Errors
    /// When the branch cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Err(StoreError::NotFound { path: self.path().to_owned() })
    }

    /// Takes the write lock, waiting for another writer for as long as `patience`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the other process.
    pub fn writer(&self, _patience: Duration) -> Result<Writer, StoreError> {
        Err(StoreError::NotFound { path: self.path().to_owned() })
    }
}
