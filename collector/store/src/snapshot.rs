//! [`Snapshot`]: one commit to read from.

use pony_formats::record::Summary;
use pony_formats::{ResultKey, TestResult};

use crate::{Artifact, CommitId, StoreError};

/// One commit of a results repository. Stays as it is while others write.
#[derive(Debug)]
pub struct Snapshot {}

/// A commit that added something to a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The package of the result.
    pub package: String,
    /// The result.
    pub key: ResultKey,
    /// The commit.
    pub commit_id: CommitId,
}

impl Snapshot {
    /// The commit.
    pub fn commit_id(&self) -> &CommitId {
        unreachable!()
    }

    /// The true names of all packages, sorted.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn packages(&self) -> Result<Vec<String>, StoreError> {
        Ok(vec![])
    }

    /// The keys of a package's results, oldest first. Empty for an unknown package.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn results(&self, _package: &str) -> Result<Vec<ResultKey>, StoreError> {
        Ok(vec![])
    }

    /// The package of a result, when only its key is known.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn package_of(&self, _key: ResultKey) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// A triple, exactly as it was submitted. `None` when there is no such result.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names the result when it cannot be read back.
    pub fn read(&self, _package: &str, _key: ResultKey) -> Result<Option<TestResult>, StoreError> {
        Ok(None)
    }

    /// What a list shows of a result; much cheaper than [`Snapshot::read`].
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn summary(&self, _package: &str, _key: ResultKey) -> Result<Option<Summary>, StoreError> {
        Ok(None)
    }

    /// The files that were uploaded for a result, in the order in which they came.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn artifacts(&self, _package: &str, _key: ResultKey) -> Result<Vec<Artifact>, StoreError> {
        Ok(vec![])
    }

    /// The commits since `base` that added to a result, oldest first; every one since the beginning for
    /// `None`. Returns `Ok(None)` when `base` is not an ancestor of this snapshot.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn changes_since(
        &self,
        _base: Option<&CommitId>,
    ) -> Result<Option<Vec<Change>>, StoreError> {
        Ok(Some(vec![]))
    }
}
