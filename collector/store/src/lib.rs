//! Test results in a git repository.
//!
//! A [`Store`] is an opened results repository. Reading and writing are different types: a [`Snapshot`] is
//! one commit and needs no lock; a [`Writer`] holds the repository's only write lock, and what it has
//! appended is on disk when [`Writer::append`] returns.
//!
//! # How a submission becomes a commit
//!
//! 1. [`Store::writer`] takes the lock on `pony.lock` (`lock`) and removes what a writer that was killed
//!    has left lying about.
//! 2. [`Writer::append`] draws a [`ResultKey`](pony_formats::ResultKey): the time of arrival and a random part,
//!    greater than every key before it. The key decides the folder (`layout`), the submission decides the
//!    files ([`pony_formats::record`]) and the log line (`message`).
//! 3. Files, folders and the commit are made in memory, on top of the newest commit, and written as one
//!    pack (`publish`, `pack`). Not as loose objects: then each of a dozen files would have to be synced.
//! 4. Pack, index, the folder they are in, the branch, its folder: each is synced before the next step
//!    relies on it (`disk`). Killed or cut off at any point, the branch names a complete history.
//! 5. The branch moves only if it is still where it was. If somebody has pushed, the commit is made anew on
//!    top of that.
//! 6. When there are too many packs, some are joined (`roll_up`), as git refuses to do here.
//!
//! Behind the writer, [`Maintenance`] has git make packs smaller that hold what came since the last time.
//!
//! [`Store::archive`] moves the results of the past into another repository, and says so in `format.json`
//! (`format`, [`Cut`]). [`Contents`] are the files that belong to results, beside git.
//!
//! Reading goes the other way: `objects` reads commits, folders and files, and does not trust what
//! strangers may have pushed; `packages` and `changes` find results; [`Snapshot`] decodes them.
//!
//! This is the only package that names gix, and no gix type is part of its interface. Everything
//! is synchronous.

mod archive;
mod artifact;
mod changes;
mod commit_id;
mod contents;
mod disk;
mod error;
mod format;
mod git;
mod init;
mod layout;
mod lock;
mod maintain;
mod message;
mod objects;
mod pack;
mod packages;
mod publish;
mod reserved;
mod roll_up;
mod snapshot;
mod store;
mod writer;

pub use archive::{ArchivePlan, Archived, Stage};
pub use artifact::{Artifact, Sha256Hex, Sha256HexError};
pub use commit_id::{CommitId, CommitIdError};
pub use contents::Contents;
pub use disk::create_folder;
pub use error::{Action, StoreError};
pub use format::Cut;
pub use maintain::{Maintained, Maintenance, Packs, Scope, Tool};
pub use snapshot::{Change, Snapshot};
pub use store::Store;
pub use writer::{Appended, Arrival, Writer};
