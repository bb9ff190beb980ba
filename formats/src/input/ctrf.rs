//! Reader of CTRF, the Common Test Report Format: JSON, written against version 0.0.0 of
//! <https://github.com/ctrf-io/ctrf> and what its reporters for jest and mocha write.
//!
//! An id is the suites and the name, joined with `::`. Older reporters write the suites as one
//! string with ` > ` between them, which gives the same id as the list that the schema asks for.
//!
//! | `status` | outcome |
//! | --- | --- |
//! | `passed` | passed; flaky when `flaky` says so, or when nothing does and it was run again |
//! | `failed` | failed; errored when `rawStatus` tells of a crash or a time-out |
//! | `skipped`, `pending` | skipped |
//! | `other`, anything else | skipped when `rawStatus` says that it was not run, otherwise errored: what came to no verdict did not pass |
//!
//! A `rawStatus` with one of pony's own words is that outcome, where the status agrees. Where
//! the summary counts more tests than the list has, the others have no name. `extra` keeps the
//! test's own `extra` and [`KEPT`]; other keys are dropped.

mod json;
mod status;

use serde_json::{Map, Value as Json};

use super::census::many;
use super::quote::quote;
use super::terminal::Screen;
use super::{Format, ParseError, Position, Report};
use crate::limits::Limits;
use crate::model::{Attempt, Evidence, Outcome, Tally, TestCase};
use crate::value::Bag;
use json::{CtrfAttempt, CtrfTest, Document, Lines, Shape, Suite, Summary};
pub(crate) use status::status_of;
use status::{explain, outcome};

/// Keys of a test that go to `extra` as they are.
const KEPT: [&str; 9] = [
    "browser",
    "device",
    "labels",
    "parameters",
    "rawStatus",
    "snippet",
    "tags",
    "testId",
    "threadId",
];

/// The words a stored test case uses itself, which `extra` must not hide.
const RESERVED: [&str; 11] = [
    "id", "outcome", "duration", "message", "type", "details", "output", "errout", "file", "line",
    "attempts",
];

/// Whether this is one JSON object that says it is CTRF, or has the shape of it.
pub(super) fn detect(input: &[u8]) -> bool {
    /// Bytes in which the name of the format is looked for: reporters write it first.
    const HEAD: usize = 1024;
    let text = strip_mark(input).trim_ascii_start();
    if !text.starts_with(b"{") {
        return false;
    }
    let head = String::from_utf8_lossy(&text[..text.len().min(HEAD)]);
    let named = head.split_once("\"reportFormat\"").map(|(_, rest)| rest.trim_start());
    if named.is_some_and(|rest| {
        rest.strip_prefix(':').is_some_and(|rest| rest.trim_start().starts_with("\"CTRF\""))
    }) {
        return true;
    }
    serde_json::from_slice::<Shape>(text).is_ok_and(|shape| shape.is_ctrf())
}

/// Reads a document.
///
/// # Errors
/// When it is no JSON or a known key has the wrong type, when it has no `results.tests`, and when
/// it is larger than the limits allow.
pub(super) fn parse(input: &[u8], limits: &Limits) -> Result<Report, ParseError> {
    if input.len() > limits.input_bytes_max {
        // For its message alone: too large for a screen is too large for this.
        Screen::read(input, limits)?;
    }
    let text = String::from_utf8_lossy(strip_mark(input));
    let error = |error: serde_json::Error| at(&text, &error);
    let shape: Shape = serde_json::from_str(&text).map_err(error)?;
    let begin = |message: String| ParseError { position: Position { line: 1, column: 1 }, message };
    let Some(runs) = shape.runs() else {
        return Err(begin("no `results.tests`: expected a CTRF document".to_owned()));
    };
    if runs > limits.tests_max {
        return Err(begin(format!(
            "{runs} tests and attempts, at most {} are read",
            limits.tests_max
        )));
    }
    let document: Document = serde_json::from_str(&text).map_err(error)?;
    let mut counts = Tally::default();
    let mut tests = Vec::with_capacity(runs);
    for (index, test) in document.results.tests.into_iter().enumerate() {
        let test = test_case(test, index);
        counts.count(test.outcome);
        tests.push(test);
    }
    let unnamed = unlisted(&document.results.summary.unwrap_or_default(), counts);
    let sanitised = matches!(text, std::borrow::Cow::Owned(_));
    let (suites, oddities) = Default::default();
    Ok(Report { format: Format::Ctrf, tests, suites, unnamed, sanitised, oddities })
}

fn strip_mark(input: &[u8]) -> &[u8] {
    input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input)
}

/// serde_json counts columns in bytes, and from 0 on an error at the end of a line.
fn at(text: &str, error: &serde_json::Error) -> ParseError {
    let line = error.line().max(1);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let position = Position::of(text.as_bytes(), start + error.column().saturating_sub(1));
    let shown = error.to_string();
    let message = shown.rsplit_once(" at line ").map_or(shown.as_str(), |(message, _)| message);
    ParseError { position, message: quote(message) }
}

/// What the summary counts and the list does not have.
fn unlisted(summary: &Summary, listed: Tally) -> Tally {
    let count = |number: Option<f64>| number.map_or(0, |number| number as u64);
    let skipped = count(summary.skipped).saturating_add(count(summary.pending));
    let claimed = [
        (Outcome::Passed, count(summary.passed), listed.passed),
        (Outcome::Skipped, skipped, listed.skipped),
        (Outcome::Failed, count(summary.failed), listed.failed + listed.errored),
    ];
    // `other` is whatever is left: the listed ones were sorted into the outcomes above.
    let named: u64 = listed.total;
    let mut unnamed = Tally::default();
    let mut room = count(summary.tests).saturating_sub(named);
    for (outcome, claimed, listed) in claimed {
        let number = claimed.saturating_sub(listed).min(room);
        room -= number;
        unnamed += many(outcome, number);
    }
    unnamed += many(Outcome::Errored, room);
    unnamed
}

fn test_case(mut read: CtrfTest, index: usize) -> TestCase {
    let mut outcome = outcome(read.status.as_deref(), read.raw_status.as_deref());
    let mut evidence =
        evidence(&mut read.message, &mut read.trace, &mut read.stdout, &mut read.stderr);
    let attempts = earlier_attempts(&mut read, outcome, &mut evidence);
    if outcome == Outcome::Passed {
        let was_run_again = || {
            read.retries.is_some_and(|retries| retries > 0.0)
                || attempts.iter().any(|attempt| attempt.outcome.is_bad())
        };
        if read.flaky.unwrap_or_else(was_run_again) {
            outcome = Outcome::Flaky;
        }
    }
    explain(&mut evidence, outcome, read.status.as_deref(), read.raw_status.as_deref());
    let is_told = read.raw_status.as_deref().is_none_or(|raw| {
        raw.eq_ignore_ascii_case(outcome.as_str()) || read.status.as_deref() == Some(raw)
    });
    let mut extra = read.extra.take().map(own_extra).unwrap_or_default();
    if evidence.kind.is_none()
        && let Some(crate::value::Value::String(kind)) = extra.remove("type")
    {
        evidence.kind = Some(kind);
    }
    extra.retain(|key, _| !RESERVED.contains(&key.as_str()));
    for (key, value) in read.kept() {
        if !(key == "rawStatus" && is_told)
            && let Ok(value) = crate::json::from_json(value)
        {
            extra.insert(key.to_owned(), value);
        }
    }
    TestCase {
        id: id(read.suite, read.name, index),
        outcome,
        duration: seconds(read.duration),
        evidence,
        file: read.file_path.filter(|path| !path.is_empty()),
        line: read.line.map(|line| line as i64).filter(|line| *line > 0),
        attempts,
        extra,
    }
}

fn own_extra(extra: Map<String, Json>) -> Bag {
    let read = |(key, value)| Some((key, crate::json::from_json(value).ok()?));
    extra.into_iter().filter_map(read).collect()
}

fn id(suite: Option<Suite>, name: Option<String>, index: usize) -> String {
    let mut parts = match suite {
        None => Vec::new(),
        Some(Suite::Path(text)) if text.is_empty() => Vec::new(),
        Some(Suite::Path(text)) => text.split(" > ").map(str::to_owned).collect(),
        Some(Suite::List(parts)) => parts,
    };
    let name = name.filter(|name| !name.is_empty());
    parts.push(name.unwrap_or_else(|| format!("test {}", index + 1)));
    parts.join("::")
}

/// The attempts before the last one. Some writers list the last one too, the schema's own
/// examples among them: it is the one more than there were retries, and ended as the test did.
fn earlier_attempts(
    read: &mut CtrfTest,
    outcome: Outcome,
    evidence: &mut Evidence,
) -> Vec<Attempt> {
    let listed = read.retry_attempts.take().unwrap_or_default();
    let mut attempts: Vec<Attempt> = listed.into_iter().map(attempt).collect();
    let has_final = match read.retries {
        Some(retries) => attempts.len() as f64 > retries,
        None => outcome == Outcome::Passed,
    };
    if let Some(last) = attempts.pop_if(|last| has_final && last.outcome == outcome) {
        let of_test = std::mem::take(evidence);
        *evidence = Evidence {
            message: of_test.message.or(last.evidence.message),
            kind: of_test.kind.or(last.evidence.kind),
            details: of_test.details.or(last.evidence.details),
            output: of_test.output.or(last.evidence.output),
            errout: of_test.errout.or(last.evidence.errout),
        };
    }
    attempts
}

fn attempt(mut read: CtrfAttempt) -> Attempt {
    let raw = read.extra.as_ref().and_then(|extra| extra.get("rawStatus")).and_then(Json::as_str);
    let outcome = outcome(read.status.as_deref(), raw);
    let mut evidence =
        evidence(&mut read.message, &mut read.trace, &mut read.stdout, &mut read.stderr);
    let kind = read.extra.as_ref().and_then(|extra| extra.get("type")).and_then(Json::as_str);
    evidence.kind = kind.map(str::to_owned);
    explain(&mut evidence, outcome, read.status.as_deref(), raw);
    Attempt { outcome, duration: seconds(read.duration), evidence }
}

/// A message of several lines gives its first one; all of it goes before the trace, unless the
/// trace repeats it.
fn evidence(
    message: &mut Option<String>,
    trace: &mut Option<String>,
    stdout: &mut Option<Lines>,
    stderr: &mut Option<Lines>,
) -> Evidence {
    let filled = |text: &mut Option<String>| text.take().filter(|text| !text.trim().is_empty());
    let (message, trace) = (filled(message), filled(trace));
    let first =
        message.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
    let details = match (&message, &trace) {
        (Some(message), _) if message.trim().lines().count() < 2 => trace.clone(),
        (Some(message), Some(trace)) if trace.contains(message.trim()) => Some(trace.clone()),
        (Some(message), Some(trace)) => Some(format!("{}\n\n{trace}", message.trim_end())),
        (Some(message), None) => Some(message.clone()),
        (None, _) => trace.clone(),
    };
    Evidence {
        message: first.map(str::to_owned),
        kind: None,
        details,
        output: stdout.take().and_then(Lines::text),
        errout: stderr.take().and_then(Lines::text),
    }
}

fn seconds(milliseconds: Option<f64>) -> Option<f64> {
    milliseconds.map(|number| number / 1000.0).filter(|number| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests;
