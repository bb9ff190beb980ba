//! The stored form: the files that one result becomes in a results repository (format 1).

use std::collections::BTreeMap;

use crate::model::{ClientInfo, Receipt, Submission, Tally, TestResult};

/// The files of one result: path relative to the result's folder, and content. Sorted by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Files that cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct RecordError {
    /// The file, relative to the result's folder.
    pub path: String,
    /// What was wrong.
    pub message: String,
}

/// What a list of results shows of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The receipt.
    pub receipt: Receipt,
    /// The client's bag.
    pub client_info: ClientInfo,
    /// The counts of all steps.
    pub tally: Tally,
}

/// Whether [`decode_summary`] needs this file.
pub fn is_summary_file(path: &str) -> bool {
    matches!(path, "receipt.json" | "client_info.json" | "results_list.json")
        || path.ends_with("/outcomes.txt")
}

/// The files of a result. The same result always gives the same bytes.
pub fn encode(_receipt: &Receipt, _submission: &Submission) -> Files {
    Files::new()
}

/// The result that the files hold. Unknown files are ignored.
///
/// # Errors
/// Names the file that is missing or damaged.
pub fn decode(_files: &Files) -> Result<TestResult, RecordError> {
    Err(RecordError { path: "receipt.json".into(), message: "not written yet".into() })
}

/// What a list shows, from the files that [`is_summary_file`] selects.
///
/// # Errors
/// Names the file that is missing or damaged.
pub fn decode_summary(_files: &Files) -> Result<Summary, RecordError> {
    Err(RecordError { path: "receipt.json".into(), message: "not written yet".into() })
}
