//! [`StoreError`]: where gix's errors end.

use std::path::PathBuf;

/// Why a results repository could not be read or written. Messages are one line and name their
/// subject.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is nothing at the path.
    #[error("no results repository at `{path}`")]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is something at the path, but no results repository.
    #[error("`{path}` is not a results repository: {reason}")]
    NotAResultsRepository {
        /// Where it was looked for.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// The repository was written by a newer pony.
    #[error("`{path}` has format {found}, this version writes format {known}: update pony")]
    NewerFormat {
        /// The repository.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The newest format that this version writes.
        known: String,
    },
    /// Another process holds the write lock.
    #[error(
        "`{path}` is being written by process {holder}: stop it, or submit to the collector instead"
    )]
    Locked {
        /// The repository.
        path: PathBuf,
        /// The process id, or `unknown`.
        holder: String,
    },
    /// The operating system refused to read or write.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried, for example `create`.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Something that was stored cannot be read back.
    #[error("damaged: {subject}: {reason}")]
    Damaged {
        /// The result, commit or object.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
}
