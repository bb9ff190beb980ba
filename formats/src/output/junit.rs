//! JUnit XML in the dialect of nextest, through the crate that nextest itself uses.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCaseStatus, TestRerun, TestSuite};

use crate::input::junit::{EXPECTED_FAILURE, UNEXPECTED_PASS};
use crate::model::{Attempt, Evidence, Outcome, Suite, TestCase};
use crate::value::{Bag, Value};

/// Writes inputs, each a name, its tests and what was said of its suites, as one document that is always
/// well-formed. An input becomes a suite with the tests, and one without tests for each of its suites.
///
/// Reading it back gives the same ids, outcomes, messages, details, output, attempts, suites and
/// properties, with these losses: tabs, carriage returns, terminal escapes and control characters
/// are dropped, a line end in a message or an id becomes a space, U+FFFE and U+FFFF become
/// U+FFFD, times are rounded to milliseconds, an expected failure and an unexpected pass have the
/// `type` that marks them, and what else is in [`TestCase::extra`] is left out.
///
/// # Errors
/// Those of the writer.
pub fn write_junit<'a>(
    writer: impl io::Write,
    name: &str,
    inputs: impl IntoIterator<Item = (&'a str, &'a [TestCase], &'a [Suite])>,
) -> io::Result<()> {
    let mut report = Report::new(clean(name));
    for (name, tests, suites) in inputs {
        let mut suite = TestSuite::new(clean(name));
        suite.add_test_cases(tests.iter().map(test_case));
        report.add_test_suite(suite);
        report.add_test_suites(suites.iter().map(test_suite));
    }
    report.serialize(writer).map_err(io::Error::other)
}

fn test_suite(suite: &Suite) -> TestSuite {
    let mut written = TestSuite::new(clean(&suite.name));
    written.system_out = suite.output.as_deref().map(|text| clean(text).into());
    written.system_err = suite.errout.as_deref().map(|text| clean(text).into());
    written.add_properties(properties(&suite.properties));
    written
}

fn test_case(test: &TestCase) -> quick_junit::TestCase {
    // The first `::` is the one that the reader put there. An empty class keeps the reader from
    // putting the suite in its place.
    let split = test.id.split_once("::").filter(|(class, _)| !class.is_empty());
    let (class, name) = split.unwrap_or(("", &test.id));
    let mut case = quick_junit::TestCase::new(clean(name), status(test));
    case.set_classname(clean(class));
    case.time = test.duration.and_then(duration);
    case.system_out = test.evidence.output.as_deref().map(|text| clean(text).into());
    case.system_err = test.evidence.errout.as_deref().map(|text| clean(text).into());
    if let Some(file) = &test.file {
        case.extra.insert("file".into(), clean(file).into());
    }
    if let Some(line) = test.line {
        case.extra.insert("line".into(), line.to_string().into());
    }
    let bag = test.extra.get("properties").and_then(Value::as_struct);
    case.add_properties(bag.into_iter().flat_map(properties));
    case
}

fn status(test: &TestCase) -> TestCaseStatus {
    let mut status = match test.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Flaky => return flaky(test),
        Outcome::Skipped | Outcome::ExpectedFailure => TestCaseStatus::skipped(),
        Outcome::Failed | Outcome::UnexpectedPass => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Outcome::Errored => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let Evidence { message, kind, details, .. } = &test.evidence;
    let kind = match test.outcome {
        Outcome::ExpectedFailure => Some(EXPECTED_FAILURE),
        Outcome::UnexpectedPass => Some(UNEXPECTED_PASS),
        _ => kind.as_deref(),
    };
    if let Some(message) = message {
        status.set_message(clean(message));
    }
    if let Some(kind) = kind {
        status.set_type(clean(kind));
    }
    if let Some(details) = details {
        status.set_description(clean(details));
    }
    if test.outcome.is_bad() {
        status.add_reruns(test.attempts.iter().map(rerun));
    }
    status
}

/// JUnit can say that a test is flaky only by an attempt that did not pass.
fn flaky(test: &TestCase) -> TestCaseStatus {
    let mut status = TestCaseStatus::success();
    status.add_reruns(test.attempts.iter().map(rerun));
    if test.attempts.is_empty() {
        status.add_rerun(TestRerun::new(NonSuccessKind::Failure));
    }
    status
}

fn rerun(attempt: &Attempt) -> TestRerun {
    let kind = match attempt.outcome {
        Outcome::Errored => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut rerun = TestRerun::new(kind);
    let text = |text: &Option<String>| text.as_deref().map(|text| clean(text).into());
    rerun.time = attempt.duration.and_then(duration);
    rerun.message = text(&attempt.evidence.message);
    rerun.ty = text(&attempt.evidence.kind);
    rerun.description = text(&attempt.evidence.details);
    rerun.system_out = text(&attempt.evidence.output);
    rerun.system_err = text(&attempt.evidence.errout);
    rerun
}

fn properties(bag: &Bag) -> impl Iterator<Item = Property> {
    bag.iter().flat_map(|(name, value)| {
        let values = value.as_array().unwrap_or(std::slice::from_ref(value));
        let texts = values.iter().filter_map(Value::as_str);
        texts.map(|text| Property::new(clean(name), clean(text)))
    })
}

/// `None` for what [`Duration`] cannot hold.
fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// quick-junit drops control characters, but lets through these two, which XML forbids as well.
fn clean(text: &str) -> Cow<'_, str> {
    let forbidden = ['\u{fffe}', '\u{ffff}'];
    match text.contains(forbidden) {
        true => Cow::Owned(text.replace(forbidden, "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;
