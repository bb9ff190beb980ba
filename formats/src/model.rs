//! The triple that pony stores: receipt, `client_info` and `results_list`.
//!
//! A *client* sends a [`Submission`]; the *collector* (or the reporter, when it writes straight
//! into a repository) adds a [`Receipt`], and the three together are a [`TestResult`].

mod client_info;
mod receipt;
mod result_key;
mod step;
mod submission_id;
mod suite;
mod test_case;

pub use client_info::ClientInfo;
pub use receipt::Receipt;
pub use result_key::{ResultKey, ResultKeyError};
pub use step::{Step, StepStatus};
pub use submission_id::{SubmissionId, SubmissionIdError};
pub use suite::Suite;
pub use test_case::{Attempt, Evidence, Outcome, Tally, TestCase};

use crate::value::{Bag, Value};

/// What a client sends: who and where, and the ordered steps of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Who ran what, and whether it succeeded.
    pub client_info: ClientInfo,
    /// The steps in the order in which they ran. May be empty.
    pub results_list: Vec<Step>,
}

impl Submission {
    /// Reads the two arguments of `add_results`.
    ///
    /// # Errors
    /// Names the first thing that keeps the submission from being indexed; nothing of it may be
    /// stored then, so that one bad record cannot spoil the others.
    pub fn from_values(client_info: Value, results_list: Value) -> Result<Self, ModelError> {
        let Value::Struct(client_info) = client_info else {
            return Err(ModelError::new("client_info", "a struct", &client_info));
        };
        let Value::Array(steps) = results_list else {
            return Err(ModelError::new("results_list", "an array", &results_list));
        };
        let steps = steps.into_iter().enumerate().map(|(index, step)| match step {
            Value::Struct(bag) => Ok(Step::from_bag(bag)),
            other => Err(ModelError::new(format!("results_list[{index}]"), "a struct", &other)),
        });
        Ok(Self {
            client_info: ClientInfo::from_bag(client_info)?,
            results_list: steps.collect::<Result<_, _>>()?,
        })
    }

    /// The two bags as they go over the wire.
    pub fn into_values(self) -> (Value, Value) {
        let steps = self.results_list.into_iter().map(|step| Value::Struct(step.into_bag()));
        (Value::Struct(self.client_info.into_bag()), Value::Array(steps.collect()))
    }

    /// The counts of all steps together.
    pub fn tally(&self) -> Tally {
        self.results_list.iter().map(Step::tally).sum()
    }
}

/// A stored triple.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// What the receiving side added.
    pub receipt: Receipt,
    /// What the client sent.
    pub submission: Submission,
}

/// The identity of a build line: two results with equal tagsets are builds of the same thing at
/// different times.
///
/// Tags are a set: order and repeats do not matter, case does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tagset {
    /// What was tested.
    pub package: String,
    /// The machine.
    pub host: String,
    /// The platform, for example `linux-x86_64`.
    pub arch: String,
    /// The client's own tags.
    pub tags: std::collections::BTreeSet<String>,
}

impl Tagset {
    /// The members as the original protocol writes them: the tags, then `__arch=`, `__host=` and
    /// `__package=`.
    pub fn wire_members(&self) -> Vec<String> {
        let own = [
            format!("__arch={}", self.arch),
            format!("__host={}", self.host),
            format!("__package={}", self.package),
        ];
        self.tags.iter().cloned().chain(own).collect()
    }
}

/// A submission that cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: expected {expected}, found {found}")]
pub struct ModelError {
    /// The key that is wrong, for example `client_info.tags`.
    pub subject: String,
    /// What would have been right.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl ModelError {
    fn new(subject: impl Into<String>, expected: impl Into<String>, found: &Value) -> Self {
        Self {
            subject: subject.into(),
            expected: expected.into(),
            found: found.type_name().to_owned(),
        }
    }

    fn missing(subject: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { subject: subject.into(), expected: expected.into(), found: "nothing".to_owned() }
    }
}

/// Takes a string member out of a bag; leaves a member of any other type where it is.
fn take_string(bag: &mut Bag, key: &str) -> Option<String> {
    match bag.remove(key) {
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            bag.insert(key.to_owned(), other);
            None
        }
        None => None,
    }
}
