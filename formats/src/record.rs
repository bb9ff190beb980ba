//! The stored form: the files that one result becomes in a results repository (format 1).
//!
//! ```text
//! receipt.json             format version, result key, number, time of receipt, submission id, client, flags
//! client_info.json         as received
//! results_list.json        the steps in order, without what the files below hold
//! steps/00/output.txt      standard output and error of a step, only where not empty
//! steps/00/errout.txt
//! steps/00/tests.txt       one test id per line, sorted (`\n`, `\r` and `\\` escaped)
//! steps/00/outcomes.txt    one letter per test, same order: P R x S X F E
//! steps/00/durations.txt   milliseconds per test, same order, three significant digits, empty if unknown
//!                          (or so large that only failures.json can say it)
//! steps/00/failures.json   everything else that was said about a test
//! ```
//!
//! Names, outcomes and durations are apart because they change at different rates: equal files are
//! one git blob, and the list of names hardly ever changes. JSON is canonical (see [`crate::json`]), so the
//! same result always gives the same bytes. Reading the files gives the result as it was submitted;
//! only durations of tests are rounded.

mod decode;
mod encode;
mod tests_files;

use std::collections::BTreeMap;

use crate::model::{ClientInfo, Receipt, Tally};

pub use decode::{decode, decode_heading, decode_summary};
pub use encode::{encode, encode_receipt, encode_submission};

/// The files of one result: path relative to the result's folder, and content. Sorted by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The newest version that [`encode`] writes, as `receipt.json` carries it. Readers take any version with the same
/// number before the point. A receipt carries the oldest version that has all that is in it:
///
/// - 1.1: `submission_id`, what the client calls the submission, and `sent`, what it was before it was shortened.
/// - 1.0: everything else.
pub const FORMAT_VERSION: &str = "1.1";

/// The version of a receipt without a submission id.
const FIRST_VERSION: &str = "1.0";

/// The file that holds the receipt: the only one that does not follow from the submission.
pub const RECEIPT: &str = "receipt.json";
const CLIENT_INFO: &str = "client_info.json";
const RESULTS_LIST: &str = "results_list.json";

/// The keys of a step that become files of their own when they hold text.
const STREAMS: [(&str, &str); 2] = [("output", "output.txt"), ("errout", "errout.txt")];

/// Steps from this one on keep their output in `results_list.json`: no folder may hold thousands of
/// entries.
const STEP_FOLDERS_MAX: usize = 1_000;

/// The folder of a step, relative to the result's folder.
fn step_folder(index: usize) -> String {
    format!("steps/{index:02}")
}

/// Files that cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct RecordError {
    /// The file, relative to the result's folder.
    pub path: String,
    /// What was wrong.
    pub message: String,
}

impl RecordError {
    fn new(path: impl Into<String>, message: impl ToString) -> Self {
        Self { path: path.into(), message: message.to_string() }
    }
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

/// What says which result this is: two of the three bags, without the steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// The receipt.
    pub receipt: Receipt,
    /// The client's bag.
    pub client_info: ClientInfo,
}

/// Whether [`decode_heading`] needs this file.
pub fn is_heading_file(path: &str) -> bool {
    matches!(path, RECEIPT | CLIENT_INFO)
}

/// Whether [`decode_summary`] needs this file.
pub fn is_summary_file(path: &str) -> bool {
    is_heading_file(path)
        || path == RESULTS_LIST
        || path.ends_with(&format!("/{}", tests_files::OUTCOMES))
}

/// The file with one stream of a step (counted from 0), by its key in the step: `output` or `errout`. `None` for
/// other keys, and for steps that keep it in their own bag.
pub fn stream_file(step: usize, key: &str) -> Option<String> {
    let (_, file) = STREAMS.iter().find(|(known, _)| *known == key)?;
    (step < STEP_FOLDERS_MAX).then(|| format!("{}/{file}", step_folder(step)))
}

/// Whether many results have an equal file at this path, and a large one: it is worth looking whether it is
/// stored already.
pub fn is_often_equal(path: &str) -> bool {
    path == CLIENT_INFO || path.ends_with(&format!("/{}", tests_files::TESTS))
}

#[cfg(test)]
mod tests;
