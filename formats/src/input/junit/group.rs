//! What one `testsuite` element comes to besides its tests.

use super::case::{Case, add_property};
use super::finding::{Finding, Stream, append, non_empty};
use crate::model::{Outcome, Suite, TestCase};
use crate::xml::Tag;

/// A `testsuite` or `testsuites` that is open.
pub(super) struct Group {
    pub(super) name: Option<String>,
    suite: Suite,
    /// The test that stands for what went wrong with the suite itself.
    case: Option<Box<Case>>,
}

impl Group {
    pub(super) fn new(tag: Tag<'_>) -> Self {
        let name = tag.attribute("name").and_then(non_empty);
        Self { name, suite: Suite::default(), case: None }
    }

    /// Takes what a child element held.
    pub(super) fn add(&mut self, stream: Stream, text: String) {
        match stream {
            Stream::Output => append(&mut self.suite.output, text, ""),
            Stream::Errout => append(&mut self.suite.errout, text, ""),
            Stream::Property { name, value } => {
                add_property(&mut self.suite.properties, name, value.unwrap_or(text));
            }
            Stream::Time | Stream::StackTrace => {}
        }
    }

    /// Takes what says how the suite itself ended.
    pub(super) fn conclude(&mut self, finding: Finding) {
        let case = || Box::new(Case::of_suite(self.name.as_deref()));
        self.case.get_or_insert_with(case).conclude(finding);
    }

    /// The test that stands for what went wrong with the suite itself, and what else is said of it.
    /// `name` is what to call it.
    pub(super) fn into_parts(self, name: String) -> (Option<TestCase>, Suite) {
        let bad = self.case.filter(|case| case.worst.is_some_and(Outcome::is_bad));
        let test = bad.map(|mut case| {
            case.settle();
            case.test
        });
        (test, Suite { name, ..self.suite })
    }
}
