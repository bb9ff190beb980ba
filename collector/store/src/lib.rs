//! Test results in a git repository.
//!
//! A [`Store`] is an opened results repository. Reading and writing are different types: a [`Snapshot`] is
//! one commit and needs no lock; a [`Writer`] holds the repository's only write lock, and what it has
//! appended is on disk when [`Writer::append`] returns.
//!
//! This is the only package that names gix, and no gix type is part of its interface. Everything
//! is synchronous.

mod changes;
mod commit_id;
mod disk;
mod error;
mod init;
mod layout;
mod lock;
mod message;
mod objects;
mod pack;
mod packages;
mod publish;
mod roll_up;
mod snapshot;
mod store;
mod writer;

pub use commit_id::{CommitId, CommitIdError};
pub use error::StoreError;
pub use snapshot::{Change, Snapshot};
pub use store::Store;
pub use writer::{Appended, Arrival, Artifact, Writer};
