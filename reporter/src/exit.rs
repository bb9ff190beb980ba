//! [`Failure`], and the one table from failures to exit statuses.

use std::io;
use std::path::PathBuf;

use crate::delivery::{DeliveryError, GitFailureKind};
use crate::input::InputError;
use crate::messages;
use crate::spool::SpoolError;

/// Everything worked.
pub(crate) const OK: i32 = 0;
/// `ci`: a step failed.
pub(crate) const STEP_FAILED: i32 = 1;
/// `EX_USAGE` of sysexits.h, as are the names below.
pub(crate) const USAGE: i32 = 64;
/// `EX_DATAERR`.
pub(crate) const DATA: i32 = 65;
/// `EX_NOINPUT`.
pub(crate) const NO_INPUT: i32 = 66;
/// `EX_CANTCREAT`.
pub(crate) const CANNOT_CREATE: i32 = 73;
/// `EX_IOERR`.
pub(crate) const IO: i32 = 74;
/// `EX_TEMPFAIL`.
pub(crate) const TRY_LATER: i32 = 75;
/// `EX_PROTOCOL`.
pub(crate) const PROTOCOL: i32 = 76;
/// `EX_NOPERM`.
pub(crate) const PERMISSION: i32 = 77;
/// `EX_CONFIG`.
pub(crate) const CONFIG: i32 = 78;
/// A shell's status for a command that is there but cannot be executed.
pub(crate) const NOT_EXECUTABLE: i32 = 126;
/// A shell's status for a command that is not there.
pub(crate) const NOT_FOUND: i32 = 127;
/// What a shell adds to the number of the signal that ended a command.
#[cfg(unix)]
pub(crate) const SIGNAL_BASE: i32 = 128;

/// Why a verb did not do what it was asked to. Displays as one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was typed makes no sense.
    #[error("{0}; see `pony-report --help`")]
    Usage(String),
    /// The surroundings make no sense.
    #[error("{0}")]
    Config(String),
    /// An input cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A submission was not delivered.
    #[error("{}; {}", messages::chain(error), fate_of(error, kept.as_ref()))]
    Delivery {
        /// Why.
        #[source]
        error: DeliveryError,
        /// Where it waits, or lies if it was rejected.
        kept: Option<PathBuf>,
    },
    /// The spool does not work.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Standard output does not take what was to be written.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// Temporary files do not work.
    #[error("cannot keep what the command prints: {0}")]
    Capture(io::Error),
}

fn fate_of(error: &DeliveryError, kept: Option<&PathBuf>) -> String {
    match kept {
        None => "the submission is kept nowhere".to_owned(),
        Some(path) if error.is_rejection() => format!("moved to {}", path.display()),
        Some(path) => format!("kept for `pony-report retry` in {}", path.display()),
    }
}

impl Failure {
    /// Whether a submission was not delivered now, but waits, and nobody has to mend anything before it can be.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Delivery { error, kept: Some(_) } if of_delivery(error) == TRY_LATER)
    }

    /// The exit status that tells this kind of failure from the others.
    pub(crate) fn exit_status(&self) -> i32 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Config(_) => CONFIG,
            Self::Input(error) => of_input(error),
            Self::Delivery { error, .. } => of_delivery(error),
            Self::Spool(error) => of_spool(error),
            Self::Output(_) | Self::Capture(_) => IO,
        }
    }
}

fn of_input(error: &InputError) -> i32 {
    match error {
        InputError::Unreadable { .. } | InputError::NotAFile { .. } => NO_INPUT,
        InputError::NotWritten { .. } => NO_INPUT,
        InputError::NoProject { .. } => CONFIG,
        InputError::TooLarge { .. } | InputError::UnknownFormat { .. } => DATA,
        InputError::Parse { .. } => DATA,
    }
}

fn of_delivery(error: &DeliveryError) -> i32 {
    match error {
        DeliveryError::Unreachable { .. } | DeliveryError::FileOnItsWay { .. } => TRY_LATER,
        DeliveryError::Rejected { .. } => DATA,
        DeliveryError::Forbidden { .. } => PERMISSION,
        DeliveryError::NotACollector { .. } => PROTOCOL,
        DeliveryError::GitHost { failure, .. } => of_git(failure.kind),
        DeliveryError::NoPlaceForFiles { .. } => CANNOT_CREATE,
        DeliveryError::Store(error) => error.exit_status().into(),
    }
}

fn of_git(kind: GitFailureKind) -> i32 {
    match kind {
        GitFailureKind::NoGit => CONFIG,
        GitFailureKind::Io => IO,
        GitFailureKind::Unreachable | GitFailureKind::Contended | GitFailureKind::NoRoom => {
            TRY_LATER
        }
        GitFailureKind::Forbidden | GitFailureKind::Refused => PERMISSION,
        GitFailureKind::NotThere => NO_INPUT,
        GitFailureKind::Store(status) => status.into(),
    }
}

fn of_spool(error: &SpoolError) -> i32 {
    match error {
        SpoolError::Io { action, .. } if action.is_creation() => CANNOT_CREATE,
        SpoolError::Io { .. } => IO,
        SpoolError::Folder(error) => error.exit_status().into(),
        SpoolError::Damaged { .. } => DATA,
        SpoolError::PathIsNotText { .. } => CONFIG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pony_store::{Action, StoreError};

    #[test]
    fn what_a_repository_does_not_take_has_a_status() {
        let path = PathBuf::from("r.git");
        let io =
            |action| StoreError::Io { action, path: path.clone(), source: io::Error::other("x") };
        let text = String::new;
        let cases = [
            (StoreError::NotFound { path: path.clone() }, 66),
            (StoreError::NotAResultsRepository { path: path.clone(), reason: text() }, 66),
            (StoreError::NewerFormat { path: path.clone(), found: text(), known: text() }, 78),
            (StoreError::Locked { path: path.clone(), holder: text() }, 75),
            (StoreError::TooLarge { bytes: 2, max: 1 }, 65),
            (StoreError::Damaged { subject: text(), reason: text() }, 3),
            (StoreError::DiskLost { path: path.clone(), source: io::Error::other("x") }, 74),
            (io(Action::Create), 73),
            (io(Action::CreateIn), 73),
            (io(Action::Write), 74),
        ];
        for (error, status) in cases {
            let message = error.to_string();
            let failure = Failure::Delivery { error: error.into(), kept: None };
            assert_eq!(failure.exit_status(), status, "{message}");
        }
    }
}
