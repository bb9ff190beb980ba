//! [`SubmissionId`]: what a client calls a submission, however often it sends it.

use std::fmt;
use std::str::FromStr;

/// Names one submission, so that it is stored once though it arrives twice. Made by the client, unique
/// without coordination: 1 to 255 visible ASCII characters, which no other submission to the same repository has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionId(String);

/// Characters of an id, at most.
const LENGTH_MAX: usize = 255;

impl SubmissionId {
    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubmissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The text is no submission id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a submission id: expected 1 to 255 visible ASCII characters")]
pub struct SubmissionIdError;

impl FromStr for SubmissionId {
    type Err = SubmissionIdError;

    fn from_str(text: &str) -> Result<Self, SubmissionIdError> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_visible && (1..=LENGTH_MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SubmissionIdError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_ascii_of_bounded_length_is_an_id() {
        for text in ["x", "8e03978e-40d5-43dd-bc93-6894a57f9324", "\"a\"", &"~".repeat(255)] {
            assert_eq!(text.parse::<SubmissionId>().unwrap().as_str(), text);
        }
        for text in ["", " ", "a b", "a\n", "ä", "\u{7f}", &"~".repeat(256)] {
            assert_eq!(text.parse::<SubmissionId>(), Err(SubmissionIdError), "{text:?}");
        }
    }
}
