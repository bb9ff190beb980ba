//! Why the collector stops, and the exit status (sysexits) that says so.

use std::io;
use std::path::PathBuf;

use pony_store::StoreError;

use crate::registry::RegistryError;

/// Wrong usage of the command line.
pub(crate) const USAGE: u8 = 64;

/// As [`StoreError::Damaged`] has it.
const DAMAGED: u8 = 3;

const SOFTWARE: u8 = 70;
const CANNOT_CREATE: u8 = 73;
const IO: u8 = 74;
const CONFIGURATION: u8 = 78;

/// Why the collector cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot listen on `{address}`, choose another address with --listen")]
    Listen { address: String, source: io::Error },
    #[error("cannot {action} `{path}`")]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("the site `{site}` holds the repository: choose a folder of its own with --site")]
    Exposed { site: PathBuf },
    #[error(
        "`{address}` can be reached from elsewhere, and nobody is known: let clients submit with \
         `pony-collector client add`, or everybody with --open"
    )]
    Unguarded { address: String },
    /// A write was refused after the fact, and is never tried again: the system may claim success then. Or
    /// the thread that writes has panicked.
    #[error("results can no longer be stored, the log says why: check the disk, then start again")]
    DiskLost,
    #[error("`{repo}` is damaged in {count} places: restore what is missing from a copy")]
    Damaged { repo: PathBuf, count: usize },
    #[error("cannot start threads")]
    Runtime(#[source] io::Error),
}

/// The exit status for an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return match failure {
            Failure::Listen { .. } | Failure::File { .. } => CANNOT_CREATE,
            Failure::Exposed { .. } | Failure::Unguarded { .. } => CONFIGURATION,
            Failure::Damaged { .. } => DAMAGED,
            Failure::DiskLost | Failure::Runtime(_) => IO,
        };
    }
    if let Some(failure) = error.downcast_ref::<RegistryError>() {
        return match failure {
            RegistryError::Io { .. } => CANNOT_CREATE,
            RegistryError::Damaged { .. } => CONFIGURATION,
            RegistryError::NameTaken { .. } | RegistryError::Unknown { .. } => USAGE,
        };
    }
    error.downcast_ref().map_or(SOFTWARE, StoreError::exit_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_disk_ends_with_74_whoever_found_out() {
        let by_upload = Failure::DiskLost;
        assert_eq!(exit_code(&by_upload.into()), 74);
        let source = io::Error::other("x");
        let by_writer = StoreError::DiskLost { path: PathBuf::from("r.git"), source };
        assert_eq!(exit_code(&by_writer.into()), 74);
    }
}
