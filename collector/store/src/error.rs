//! [`StoreError`]: where gix's errors end.

use std::fmt;
use std::path::{Path, PathBuf};

use pony_formats::{ResultKey, SubmissionId};

/// What was tried with a file or folder when the operating system refused. Displays as it stands in
/// `cannot .. PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// To make it.
    Create,
    /// To make something in it.
    CreateIn,
    /// To open it.
    Open,
    /// To read from it.
    Read,
    /// To write to it.
    Write,
    /// To wait until it is on the disk.
    Sync,
    /// To keep others from writing to it.
    Lock,
    /// To remove it.
    Remove,
    /// To add to what it holds.
    Update,
    /// To calculate its checksum.
    Hash,
    /// To make it smaller.
    Maintain,
}

impl Action {
    /// Whether something new could not be made, which sysexits.h tells from other input and output.
    pub fn is_creation(self) -> bool {
        matches!(self, Self::Create | Self::CreateIn)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::CreateIn => "create anything in",
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Lock => "lock",
            Self::Remove => "remove",
            Self::Update => "update",
            Self::Hash => "hash",
            Self::Maintain => "maintain",
        })
    }
}

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
    /// Another process has the index open. It is derived: one can be kept in memory instead.
    #[error("the index `{path}` is in use by another process: try again later")]
    IndexInUse {
        /// The file of the index.
        path: PathBuf,
    },
    /// The operating system refused to read or write.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: Action,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What was written did not reach the disk, now or earlier: nothing more is written by this writer, as
    /// nobody knows what is kept. What is, shows only after a restart.
    #[error("`{path}` did not reach the disk: check the disk, then start again")]
    DiskLost {
        /// What was to be synced, or to be written to after that.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is no such result to add to.
    #[error("there is no result {key} of package {package:?}: submit it first")]
    NoSuchResult {
        /// The package that was named.
        package: String,
        /// The result that was named.
        key: ResultKey,
    },
    /// There is a result of another submission with the same id.
    #[error(
        "submission id `{id}` is that of result {key}, which has other content or another sender: give \
         each submission an id of its own"
    )]
    SubmissionIdTaken {
        /// The id.
        id: SubmissionId,
        /// The result that has it.
        key: ResultKey,
    },
    /// The result is too large to be stored.
    #[error("the result has {bytes} bytes, at most {max} are stored: leave output out")]
    TooLarge {
        /// Its size in bytes, as it would be stored but for compression.
        bytes: usize,
        /// The largest that is stored.
        max: usize,
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

impl StoreError {
    /// The exit status that a program ends with because of this: one of sysexits.h, or 3 for damage.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Damaged { .. } => 3,
            Self::TooLarge { .. } | Self::SubmissionIdTaken { .. } => 65,
            Self::NotFound { .. }
            | Self::NotAResultsRepository { .. }
            | Self::NoSuchResult { .. } => 66,
            Self::Io { action, .. } if action.is_creation() => 73,
            Self::Io { .. } | Self::DiskLost { .. } => 74,
            Self::Locked { .. } | Self::IndexInUse { .. } => 75,
            Self::NewerFormat { .. } => 78,
        }
    }

    /// What kept a whole batch from being written, once more: for another who waits for it.
    pub(crate) fn again(&self) -> Self {
        let source = |error: &std::io::Error| match error.raw_os_error() {
            Some(code) => std::io::Error::from_raw_os_error(code),
            None => std::io::Error::new(error.kind(), error.to_string()),
        };
        match self {
            Self::Io { action, path, source: error } => {
                Self::Io { action: *action, path: path.clone(), source: source(error) }
            }
            Self::DiskLost { path, source: error } => {
                Self::DiskLost { path: path.clone(), source: source(error) }
            }
            Self::Damaged { subject, reason } => {
                Self::Damaged { subject: subject.clone(), reason: reason.clone() }
            }
            other => Self::Damaged { subject: "repository".to_owned(), reason: other.to_string() },
        }
    }

    /// What is refused because a sync has failed before.
    pub(crate) fn lost_earlier(path: &Path) -> Self {
        let source = std::io::Error::other("an earlier write did not");
        Self::DiskLost { path: path.to_owned(), source }
    }

    /// For `map_err` on whatever the operating system does to `path`.
    pub(crate) fn io(action: Action, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// For `map_err` on what gix does to `path`.
    pub(crate) fn gix<E: std::error::Error>(action: Action, path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { action, path, source: std::io::Error::other(one_line(&error)) }
    }
}

/// An error of gix and its causes. They may span lines; ours never do.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
