//! [`Holder`]: the file of an index, opened, and where redb's errors end.
//!
//! redb may panic on a file that was altered behind its back. That is damage of something derived, so
//! it is caught here: whoever holds the index finds it suspect, and builds it anew.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase as _};
use redb::{ReadOnlyDatabase, WriteTransaction};

use crate::objects::Unreadable;
use crate::{Action, StoreError};

/// Bytes of pages that are kept in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Every so many updates one is written through to the disk. Not for safety: only then redb uses again
/// the room of what was replaced.
const UPDATES_PER_SYNC: u32 = 64;

/// An index's database, which can be replaced by a new one.
#[derive(Debug)]
pub(super) struct Holder {
    place: Place,
    opened: RwLock<Option<Opened>>,
    is_suspect: AtomicBool,
}

/// Where a database is.
#[derive(Debug)]
enum Place {
    File(PathBuf),
    /// In a file that goes away when it is closed.
    Temporary,
    Memory,
}

/// A database that is open.
pub(super) struct Opened {
    kind: Kind,
    updates: AtomicU32,
}

enum Kind {
    Own(Database),
    Shared(ReadOnlyDatabase),
}

/// Why something could not be done with a database.
#[derive(Debug)]
pub(super) enum Fault {
    Database(redb::Error),
    /// What it holds makes no sense.
    Content(&'static str),
    /// It is only to be looked at.
    ReadOnly,
    /// A folder that was to be compared with cannot be read.
    Unreadable(Unreadable),
    Store(StoreError),
}

impl Opened {
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, Fault> {
        Ok(match &self.kind {
            Kind::Own(database) => database.begin_read()?,
            Kind::Shared(database) => database.begin_read()?,
        })
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction, Fault> {
        let Kind::Own(database) = &self.kind else { return Err(Fault::ReadOnly) };
        let mut transaction = database.begin_write()?;
        if self.updates.fetch_add(1, Ordering::Relaxed).is_multiple_of(UPDATES_PER_SYNC) {
            // Then nothing has to be walked through after a crash.
            transaction.set_quick_repair(true);
        } else {
            transaction.set_durability(Durability::None)?;
        }
        Ok(transaction)
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl Holder {
    /// Opens the file, or makes it. One that cannot be read is replaced.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let holder = Self::closed(Place::File(path.to_owned()));
        match caught(|| Ok(builder().create(path)?)) {
            Ok(database) => holder.put(Kind::Own(database)),
            Err(fault) => match holder.report(fault) {
                StoreError::Damaged { .. } => holder.renew()?,
                error => return Err(error),
            },
        }
        Ok(holder)
    }

    pub(super) fn in_memory() -> Result<Self, StoreError> {
        let holder = Self::closed(Place::Memory);
        holder.renew()?;
        Ok(holder)
    }

    /// In a file that has no name, in the folder for temporary files.
    pub(super) fn temporary() -> Result<Self, StoreError> {
        let holder = Self::closed(Place::Temporary);
        holder.renew()?;
        Ok(holder)
    }

    /// Opens the file to look at it, or a copy of it where it was not closed: that has to be written to. `None` when
    /// there is none.
    pub(super) fn read_only(path: &Path) -> Result<Option<Self>, StoreError> {
        if !path.exists() {
            return Ok(None);
        }
        let holder = Self::closed(Place::File(path.to_owned()));
        let opened = caught(|| match builder().open_read_only(path) {
            Ok(database) => Ok(Kind::Shared(database)),
            Err(DatabaseError::RepairAborted) => Ok(Kind::Own(copy(path)?)),
            Err(error) => Err(error.into()),
        });
        holder.put(opened.map_err(|fault| holder.report(fault))?);
        Ok(Some(holder))
    }

    fn closed(place: Place) -> Self {
        Self { place, opened: RwLock::new(None), is_suspect: AtomicBool::new(false) }
    }

    fn put(&self, kind: Kind) {
        let opened = Opened { kind, updates: AtomicU32::new(0) };
        let mut place = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(opened);
        self.is_suspect.store(false, Ordering::Relaxed);
    }

    /// Whether the database turned out to be damaged.
    pub(super) fn is_suspect(&self) -> bool {
        self.is_suspect.load(Ordering::Relaxed)
    }

    /// Puts an empty database in the place of this one.
    pub(super) fn renew(&self) -> Result<(), StoreError> {
        self.close();
        let made = match &self.place {
            Place::Memory => caught(|| Ok(builder().create_with_backend(InMemoryBackend::new())?)),
            Place::Temporary => caught(|| {
                let backend = FileBackend::new(tempfile::tempfile()?)?;
                Ok(builder().create_with_backend(backend)?)
            }),
            Place::File(path) => {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(StoreError::io(Action::Remove, path)(error));
                    }
                    _ => {}
                }
                caught(|| Ok(builder().create(path)?))
            }
        };
        self.put(Kind::Own(made.map_err(|fault| self.report(fault))?));
        Ok(())
    }

    /// A damaged one may panic once more. What it leaves is found damaged next time.
    pub(super) fn close(&self) {
        let opened = self.opened.write().unwrap_or_else(PoisonError::into_inner).take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(opened)));
    }

    /// Does something with the database.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Opened) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let place = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let outcome = match &*place {
            Some(opened) if !self.is_suspect() => caught(|| work(opened)),
            _ => Err(Fault::Content("it was found damaged before")),
        };
        outcome.map_err(|fault| self.report(fault))
    }

    /// As an error about the file; takes note of damage.
    fn report(&self, fault: Fault) -> StoreError {
        let path = match &self.place {
            Place::File(path) => path.clone(),
            Place::Temporary => std::env::temp_dir(),
            Place::Memory => PathBuf::new(),
        };
        let reason = match fault {
            Fault::Store(error) => return error,
            Fault::Unreadable(error) => return error.into(),
            Fault::Database(redb::Error::DatabaseAlreadyOpen) => {
                return StoreError::IndexInUse { path };
            }
            Fault::Database(redb::Error::Io(error)) if error.raw_os_error().is_some() => {
                return StoreError::io(Action::Update, &path)(error);
            }
            Fault::ReadOnly => {
                let source = io::Error::other("it was opened to be looked at");
                return StoreError::io(Action::Update, &path)(source);
            }
            Fault::Database(error) => error.to_string(),
            Fault::Content(reason) => reason.to_owned(),
        };
        self.is_suspect.store(true, Ordering::Relaxed);
        StoreError::Damaged { subject: format!("index `{}`", path.display()), reason }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.close();
    }
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// The same content in a file that goes away when it is closed.
fn copy(path: &Path) -> Result<Database, Fault> {
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut fs::File::open(path)?, &mut copy)?;
    Ok(builder().create_with_backend(FileBackend::new(copy)?)?)
}

fn caught<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Content("the database panicked")),
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unreadable> for Fault {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => { $(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Database(error.into())
            }
        }
    )* };
}

from_redb!(
    DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::SetDurabilityError
);
