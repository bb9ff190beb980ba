//! CTRF, the Common Test Report Format, version 0.0.0: <https://github.com/ctrf-io/ctrf>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::Value as Json;

use crate::input::ctrf::status_of;
use crate::model::{Attempt, Evidence, Outcome, TestCase};

/// The version of the specification that is written.
const SPEC_VERSION: &str = "0.0.0";

/// The name of a test that has none: the schema asks for one.
const NO_NAME: &str = "unnamed";

/// Writes tests as one CTRF document that its JSON schema allows, for the tool `pony`.
///
/// `start` and `stop` are of the whole run. The exact outcome is in `rawStatus`; the status folds
/// an expected failure into `skipped`, and an unexpected pass and an error into `failed`. Reading
/// it back gives the same ids, outcomes, messages, details, output, attempts and places, with
/// these losses: durations are whole milliseconds and a missing one is zero, and an empty id or
/// text is left out. What is in [`TestCase::extra`] goes to `extra`.
///
/// # Errors
/// Those of the writer.
pub fn write_ctrf<'a>(
    writer: impl io::Write,
    tests: impl IntoIterator<Item = &'a TestCase>,
    start: jiff::Timestamp,
    stop: jiff::Timestamp,
) -> io::Result<()> {
    let tests: Vec<&TestCase> = tests.into_iter().collect();
    let document = CtrfDocument {
        report_format: "CTRF",
        spec_version: SPEC_VERSION,
        generated_by: "pony",
        results: Results {
            tool: Tool { name: "pony", version: env!("CARGO_PKG_VERSION") },
            summary: Summary::of(&tests, start, stop),
            tests: tests.into_iter().map(CtrfTest::of).collect(),
        },
    };
    serde_json::to_writer(writer, &document).map_err(io::Error::other)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CtrfDocument<'a> {
    report_format: &'static str,
    spec_version: &'static str,
    generated_by: &'static str,
    results: Results<'a>,
}

#[derive(Serialize)]
struct Results<'a> {
    tool: Tool,
    summary: Summary,
    tests: Vec<CtrfTest<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary {
    tests: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    pending: usize,
    other: usize,
    flaky: usize,
    start: i64,
    stop: i64,
}

impl Summary {
    fn of(tests: &[&TestCase], start: jiff::Timestamp, stop: jiff::Timestamp) -> Self {
        let count =
            |status: &str| tests.iter().filter(|test| status_of(test.outcome) == status).count();
        Self {
            tests: tests.len(),
            passed: count("passed"),
            failed: count("failed"),
            skipped: count("skipped"),
            pending: 0,
            other: 0,
            flaky: tests.iter().filter(|test| test.outcome == Outcome::Flaky).count(),
            start: start.as_millisecond(),
            stop: stop.as_millisecond().max(start.as_millisecond()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CtrfTest<'a> {
    name: &'a str,
    status: &'static str,
    duration: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suite: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<i64>,
    raw_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaky: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retry_attempts: Vec<CtrfAttempt<'a>>,
    #[serde(flatten)]
    evidence: CtrfEvidence<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<Cow<'a, str>, Json>,
}

impl<'a> CtrfTest<'a> {
    fn of(test: &'a TestCase) -> Self {
        let (suite, name) = split(&test.id);
        let attempts = test.attempts.iter().enumerate();
        let is_told = test.outcome == Outcome::Flaky || !test.attempts.is_empty();
        let mut extra: BTreeMap<_, _> = test
            .extra
            .iter()
            .map(|(key, value)| (Cow::Borrowed(key.as_str()), crate::json::to_json(value)))
            .collect();
        extra.extend(kind(&test.evidence));
        Self {
            name,
            status: status_of(test.outcome),
            duration: milliseconds(test.duration).unwrap_or(0),
            suite,
            file_path: test.file.as_deref(),
            line: test.line,
            raw_status: test.outcome.as_str(),
            retries: is_told.then_some(test.attempts.len()),
            flaky: is_told.then_some(test.outcome == Outcome::Flaky),
            retry_attempts: attempts.map(CtrfAttempt::of).collect(),
            evidence: CtrfEvidence::of(&test.evidence),
            extra,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CtrfAttempt<'a> {
    attempt: usize,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    #[serde(flatten)]
    evidence: CtrfEvidence<'a>,
    extra: BTreeMap<Cow<'a, str>, Json>,
}

impl<'a> CtrfAttempt<'a> {
    fn of((index, attempt): (usize, &'a Attempt)) -> Self {
        // The schema has no `rawStatus` here.
        let outcome = (Cow::Borrowed("rawStatus"), Json::from(attempt.outcome.as_str()));
        Self {
            attempt: index + 1,
            status: status_of(attempt.outcome),
            duration: milliseconds(attempt.duration),
            evidence: CtrfEvidence::of(&attempt.evidence),
            extra: kind(&attempt.evidence).into_iter().chain([outcome]).collect(),
        }
    }
}

#[derive(Serialize)]
struct CtrfEvidence<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<Vec<&'a str>>,
}

impl<'a> CtrfEvidence<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let lines = |text: &'a Option<String>| {
            text.as_deref().map(|text| text.split('\n').collect::<Vec<_>>())
        };
        Self {
            message: evidence.message.as_deref(),
            trace: evidence.details.as_deref(),
            stdout: lines(&evidence.output),
            stderr: lines(&evidence.errout),
        }
    }
}

/// CTRF has no word for the class of a failure.
fn kind(evidence: &Evidence) -> Option<(Cow<'_, str>, Json)> {
    let kind = evidence.kind.as_deref()?;
    Some((Cow::Borrowed("type"), Json::from(kind)))
}

/// The suites and the name. The parameters of a test, in brackets, may hold `::` too.
fn split(id: &str) -> (Vec<&str>, &str) {
    let parameters = id.find(['[', '(']).unwrap_or(id.len());
    match id[..parameters].rfind("::").map(|at| (&id[..at], &id[at + 2..])) {
        Some((suites, name)) if !name.is_empty() => (suites.split("::").collect(), name),
        _ if id.is_empty() => (Vec::new(), NO_NAME),
        _ => (Vec::new(), id),
    }
}

fn milliseconds(seconds: Option<f64>) -> Option<u64> {
    seconds.map(|seconds| (seconds * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests;
