//! What the tests of the readers ask of a report.

use super::Report;
use crate::model::TestCase;

/// The tests as `id letter`, in their order.
pub(super) fn tests(report: &Report) -> Vec<String> {
    report.tests.iter().map(|test| format!("{} {}", test.id, test.outcome.letter())).collect()
}

/// The letter of the outcome, the id and the message of every test.
pub(super) fn told(report: &Report) -> Vec<String> {
    let line = |test: &TestCase| {
        let message = test.evidence.message.as_deref();
        let message = message.map(|message| format!(": {message}")).unwrap_or_default();
        format!("{} {}{message}", test.outcome.letter(), test.id)
    };
    report.tests.iter().map(line).collect()
}

/// The test with this id.
#[track_caller]
pub(super) fn find<'r>(report: &'r Report, id: &str) -> &'r TestCase {
    report.tests.iter().find(|test| test.id == id).unwrap()
}

/// The message of the test with this id, or nothing.
#[track_caller]
pub(super) fn message(report: &Report, id: &str) -> String {
    find(report, id).evidence.message.clone().unwrap_or_default()
}
