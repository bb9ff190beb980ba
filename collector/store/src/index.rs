//! [`Index`]: what is looked up often, derived from one commit.
//!
//! A B-tree in a file beside the repository (redb). It holds nothing that is not in git: deleted, damaged or
//! of another version, it is built again. What is in it follows from the tree of its commit alone, so it
//! grows by comparing two trees, whatever lies between them: an append, a push, a merge, a rewritten branch.

mod database;
mod entry;
mod grow;
mod results;
mod tables;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pony_formats::{ResultKey, SubmissionId, Tagset};

use crate::{CommitId, Snapshot, StoreError};
use database::Holder;
pub use entry::IndexEntry;
pub use results::{Results, Scope};

/// Look-ups by key, package, tagset, number and time, for the results of one commit.
///
/// Can be used from many threads; [`Index::update`] moves it on while others read.
#[derive(Debug)]
pub struct Index {
    database: Holder,
}

impl Index {
    /// Opens the index in the file at `path`, or makes it, and brings it up to date with the snapshot. What is
    /// recorded as unreadable is tried again. The folder must exist.
    ///
    /// # Errors
    /// When the repository cannot be read, or the file not be written; [`StoreError::IndexInUse`] when
    /// another process has it open. [`Index::in_memory`] does without.
    pub fn open(path: &Path, snapshot: &Snapshot) -> Result<Self, StoreError> {
        let index = Self { database: Holder::open(path)? };
        index.bring_to(snapshot, grow::Unreadable::TryAgain)?;
        Ok(index)
    }

    /// Builds an index that is kept in memory, about 1 kB for each result.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn in_memory(snapshot: &Snapshot) -> Result<Self, StoreError> {
        let index = Self { database: Holder::in_memory()? };
        index.bring_to(snapshot, grow::Unreadable::Keep)?;
        Ok(index)
    }

    /// As [`Index::in_memory`], in a temporary file that goes away with it: its size is no matter.
    pub(crate) fn temporary(snapshot: &Snapshot) -> Result<Self, StoreError> {
        let index = Self { database: Holder::temporary()? };
        index.bring_to(snapshot, grow::Unreadable::Keep)?;
        Ok(index)
    }

    /// Opens the index in a file to look at it: it stays as it is, and others may do the same. `None` when there is none,
    /// or none of this version.
    ///
    /// # Errors
    /// [`StoreError::IndexInUse`] while another process may write to it; [`StoreError::Damaged`].
    pub fn inspect(path: &Path) -> Result<Option<Self>, StoreError> {
        Ok(Holder::read_only(path)?.map(|database| Self { database }))
    }

    /// Closes the file, so that it need not be looked through when it is opened next. To be called when nobody
    /// uses the index any more; if somebody does, it is built anew.
    pub fn close(&self) {
        self.database.close();
    }

    /// Brings it to another commit of the same repository. Costs in proportion to the results that differ.
    ///
    /// # Errors
    /// As [`Index::open`]. The index stays as it was then.
    pub fn update(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.bring_to(snapshot, grow::Unreadable::Keep)
    }

    /// As [`Index::update`], for somebody who reads beside the writer that updates it: an index that has moved on
    /// meanwhile is left alone, so it never goes back.
    ///
    /// # Errors
    /// As [`Index::update`], and what taking the snapshot fails with.
    pub fn catch_up(
        &self,
        snapshot: impl FnOnce() -> Result<Snapshot, StoreError>,
    ) -> Result<(), StoreError> {
        // Before the snapshot: what is newer than that is newer than this.
        let Some(base) = self.commit_id()? else { return Ok(()) };
        let snapshot = snapshot()?;
        let keep = grow::Unreadable::Keep;
        self.database.with(|database| grow::grow(database, &snapshot, keep, Some(&base)))?;
        Ok(())
    }

    fn bring_to(
        &self,
        snapshot: &Snapshot,
        unreadable: grow::Unreadable,
    ) -> Result<(), StoreError> {
        let grown = self.database.with(|database| grow::grow(database, snapshot, unreadable, None));
        match grown {
            Ok(true) => return Ok(()),
            // It is of another version, or its commit is gone.
            Ok(false) => {}
            // Derived, so damage is no trouble of anybody.
            Err(StoreError::Damaged { .. }) if self.database.is_suspect() => {}
            Err(error) => return Err(error),
        }
        self.database.renew()?;
        self.database.with(|database| grow::fill(database, snapshot))
    }

    /// The commit whose results it holds.
    ///
    /// # Errors
    /// Here and below, [`StoreError::Damaged`] when the index cannot be read; the next [`Index::update`] builds
    /// it anew then.
    pub fn commit_id(&self) -> Result<Option<CommitId>, StoreError> {
        self.database.with(|database| tables::commit(&database.begin_read()?))
    }

    /// How many results it holds.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn len(&self) -> Result<u64, StoreError> {
        self.database.with(|database| tables::count(&database.begin_read()?))
    }

    /// Whether it holds no result.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.len()? == 0)
    }

    /// The result with this key. Where the results of two repositories were merged, there may be one in
    /// another package: the first is found.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn result(&self, key: ResultKey) -> Result<Option<IndexEntry>, StoreError> {
        self.database.with(|database| tables::result(&database.begin_read()?, key))
    }

    /// The newest result with this number: where the results of two collectors were merged, a number may be
    /// taken twice.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn numbered(&self, number: u32) -> Result<Option<ResultKey>, StoreError> {
        self.database.with(|database| tables::numbered(&database.begin_read()?, number))
    }

    /// The result of the submission with this id. Where repositories were merged that both have it, the
    /// first of them.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn submission(&self, id: &SubmissionId) -> Result<Option<IndexEntry>, StoreError> {
        self.database.with(|database| tables::submission(&database.begin_read()?, id))
    }

    /// The greatest number of a result.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn last_number(&self) -> Result<Option<u32>, StoreError> {
        self.database.with(|database| tables::last_number(&database.begin_read()?))
    }

    /// The newest result of every tagset, sorted by tagset.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn latest(&self) -> Result<Vec<IndexEntry>, StoreError> {
        self.database.with(|database| tables::latest(&database.begin_read()?))
    }

    /// Results, newest first. They are read in portions, while others may update the index: a result that
    /// comes meanwhile does not appear.
    pub fn newest_first(&self, scope: Scope) -> Results<'_> {
        Results::new(self, scope)
    }

    /// The results and folders of results that could not be read: path from the root of the tree, and why.
    ///
    /// # Errors
    /// As [`Index::commit_id`].
    pub fn unreadable(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.database.with(|database| tables::unreadable(&database.begin_read()?))
    }

    /// Writes down everything it holds, one line each, always the same for the same commit.
    ///
    /// # Errors
    /// As [`Index::commit_id`], and what `out` fails with.
    pub fn dump(&self, out: &mut dyn Write) -> Result<(), StoreError> {
        let lines =
            self.database.with(|database| tables::dump(&database.begin_read()?, &mut *out))?;
        lines.map_err(StoreError::io(crate::Action::Write, &PathBuf::from("dump of the index")))
    }

    fn portion(
        &self,
        scope: &Scope,
        after: Option<&IndexEntry>,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        self.database.with(|database| tables::portion(&database.begin_read()?, scope, after))
    }
}

/// The canonical name of a tagset: as text that no other has, and that is not the start of another.
fn line_name(tagset: &Tagset) -> String {
    let Tagset { package, host, arch, tags } = tagset;
    serde_json::json!([package, host, arch, tags]).to_string()
}

impl From<io::Error> for database::Fault {
    fn from(error: io::Error) -> Self {
        Self::Database(redb::Error::Io(error))
    }
}
