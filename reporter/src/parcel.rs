//! [`Parcel`]: a submission under the name that it keeps, however often it is sent.

use pony_formats::{Submission, SubmissionId};

use crate::exit::Failure;

/// What is delivered. The id tells the receiver that it has it already, when only the answer was lost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parcel {
    pub(crate) id: SubmissionId,
    pub(crate) submission: Submission,
}

impl Parcel {
    /// A new submission.
    pub(crate) fn new(submission: Submission) -> Result<Self, Failure> {
        let no_id = |reason: String| Failure::Config(format!("cannot name a submission: {reason}"));
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| no_id(error.to_string()))?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = id.parse().map_err(|error| no_id(format!("{error}")))?;
        Ok(Self { id, submission })
    }
}
