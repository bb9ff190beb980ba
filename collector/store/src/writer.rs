//! [`Writer`]: appends results, one commit each.

use pony_formats::{Receipt, ResultKey, Submission};

use crate::{CommitId, StoreError};

/// What is known of a submission besides its content.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When it arrived, by the receiver's clock.
    pub time: jiff::Timestamp,
    /// The authenticated name of the client, if it had one.
    pub client: Option<String>,
    /// The client's address; `None` unless configured to be kept.
    pub client_ip: Option<String>,
    /// What was done to it on the way in.
    pub flags: std::collections::BTreeSet<String>,
}

impl Arrival {
    /// An arrival without a name, an address or flags.
    pub fn at(time: jiff::Timestamp) -> Self {
        Self { time, client: None, client_ip: None, flags: Default::default() }
    }
}

/// A result that is stored for good.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// The third bag of the triple.
    pub receipt: Receipt,
    /// The commit that holds it.
    pub commit_id: CommitId,
}

/// A file that belongs to a result; git holds what is said here, not the content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Artifact {
    /// The client's name for it. A label, never a path.
    pub filename: String,
    /// What the client says it is.
    pub description: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, hex.
    pub sha256: String,
    /// Whether it is listed and served.
    pub visible: bool,
}

/// The holder of a repository's write lock. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Writer {}

impl Writer {
    /// Stores a submission as one commit. When this returns, the result survives a power cut.
    ///
    /// # Errors
    /// Nothing is stored when this fails.
    pub fn append(
        &mut self,
        _submission: &Submission,
        _arrival: &Arrival,
    ) -> Result<Appended, StoreError> {
        Err(StoreError::NotFound { path: Default::default() })
    }

    /// Records an uploaded file beside a stored result, as one commit, durable as [`Writer::append`].
    ///
    /// # Errors
    /// Also when there is no such result.
    pub fn attach(
        &mut self,
        _package: &str,
        _key: ResultKey,
        _artifact: &Artifact,
    ) -> Result<CommitId, StoreError> {
        Err(StoreError::NotFound { path: Default::default() })
    }
}
