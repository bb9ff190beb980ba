//! Test results in a git repository.
//!
//! A [`Store`] is an opened results repository. Reading and writing are different types: a [`Snapshot`] is
//! one commit and needs no lock; a [`Writer`] holds the repository's only write lock, and what it has
//! appended is on disk when [`Writer::append`] or [`Writer::append_all`] returns.
//!
//! # How a submission becomes a commit
//!
//! 1. [`Prepared::new`] makes the files of a submission ([`pony_formats::record`]), names and compresses them,
//!    and writes the log line (`message`). This is most of the work, and needs nothing that is shared.
//! 2. [`Store::writer`] takes the lock on `pony.lock` (`lock`), removes what a writer that was killed has left
//!    lying about (`recovery`), and refuses a branch whose newest commit is not whole (`tip`). A [`Queue`] lets many
//!    threads share the [`Writer`], and makes a batch of what waits.
//! 3. The writer draws a [`ResultKey`](pony_formats::ResultKey) for each: the time of arrival and a random part,
//!    greater than every key before it. The key decides the folder (`layout`). The folders on the way
//!    there and the commit are made in memory (`batch`, `tree`) on top of the newest commit, of which the
//!    writer remembers the folders (`cache`).
//! 4. All that is new in a batch is written as one pack (`publish`, `pack`): not as loose objects, or each of
//!    a dozen files of each result would have to be synced. Of a folder that changed many times, only the
//!    last version is written in full (`delta`).
//! 5. Pack, index, the folder they are in, the branch, its folder: each is synced before the next step
//!    relies on it (`disk`), once for the whole batch. Killed or cut off at any point, the branch names a
//!    complete history.
//! 6. The branch moves only if it is still where it was. If somebody has pushed, the commits are made anew on
//!    top of that; files stay as they were prepared.
//! 7. Everybody is told. Behind that, when there are too many packs, some are joined (`roll_up`), as git
//!    refuses to do here.
//!
//! Behind the writer, [`Maintenance`] has git make packs smaller that hold what came since the last time.
//!
//! [`Store::archive`] moves the results of the past into another repository, and says so in `format.json`
//! (`format`, [`Cut`]). [`Contents`] are the files that belong to results, beside git.
//!
//! [`PartialClone`] makes the same commits for a repository elsewhere, of which only what is needed was fetched.
//!
//! Reading goes the other way: `objects` reads commits, folders and files, and does not trust what
//! strangers may have pushed; `packages`, `changes` and `growth` find results; [`Snapshot`] decodes them.
//!
//! [`Index`] holds what is looked up often, grown by `difference`; [`verify`] checks everything.
//!
//! This is the only package that names gix, and no gix type is part of its interface. Everything
//! is synchronous.

mod annotations;
mod archive;
mod artifact;
mod batch;
mod cache;
mod changes;
mod commit_id;
mod contents;
mod delta;
mod difference;
mod disk;
mod draft;
mod error;
mod format;
mod git;
mod growth;
mod index;
mod init;
mod layout;
mod listing;
mod lock;
mod maintain;
mod message;
mod objects;
mod pack;
mod packages;
mod partial_clone;
mod prepared;
mod publish;
mod queue;
mod recovery;
mod reserved;
mod result_files;
mod roll_up;
mod snapshot;
mod store;
mod tip;
mod tree;
mod uses;
mod verify;
mod writer;

pub use annotations::{AnnotationFile, NotRead};
pub use archive::{ArchivePlan, Archived, Stage};
pub use artifact::{Artifact, Sha256Hex, Sha256HexError};
pub use commit_id::{CommitId, CommitIdError};
pub use contents::Contents;
pub use disk::create_folder;
pub use error::{Action, StoreError};
pub use format::Cut;
pub use growth::Growth;
pub use index::{Index, IndexEntry, Results, Scope};
pub use maintain::{Maintained, Maintenance, PackScope, Packs, Tool};
pub use partial_clone::{Addition, Extension, PartialClone};
pub use prepared::{Identity, Prepared};
pub use queue::Queue;
pub use snapshot::{Change, Snapshot};
pub use store::Store;
pub use verify::{Checked, Findings, verify};
pub use writer::{Appended, Arrival, Writer};
