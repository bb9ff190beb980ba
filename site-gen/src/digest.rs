//! The state of a package in a few numbers.

use jiff::Timestamp;
use pony_formats::Tally;

use crate::history::Package;
use crate::view::Status;

/// What the latest results of a package's build lines say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Digest {
    /// Build lines.
    pub(crate) lines: usize,
    /// Build lines whose latest result failed.
    pub(crate) failing: usize,
    /// Build lines whose latest result is a day old or older.
    pub(crate) stale: usize,
    /// The counts of all latest results together.
    pub(crate) tests: Tally,
}

impl Digest {
    pub(crate) fn of(package: &Package, now: Timestamp) -> Self {
        let mut digest = Self::default();
        for line in package.lines() {
            digest.lines += 1;
            digest.failing += usize::from(!line.latest.success);
            digest.stale += usize::from(line.latest.is_stale(now));
            digest.tests += line.latest.tests;
        }
        digest
    }

    /// Failed as soon as one build line is; nothing readable is a warning.
    pub(crate) fn status(self) -> Status {
        match self {
            Self { lines: 0, .. } => Status::Warning,
            Self { failing: 0, .. } => Status::Passed,
            _ => Status::Failed,
        }
    }
}
